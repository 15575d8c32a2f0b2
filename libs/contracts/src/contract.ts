import { commands } from './commands.ts';
import { requests } from './requests.ts';
import { buckets, consumers, streams } from './topology.ts';

/** All that messaging needs to know to carry this system's messages. */
export const contract = { streams: Object.values(streams), buckets, consumers, requests, commands };
