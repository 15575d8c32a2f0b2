import { commands } from './commands.ts';
import { requests } from './requests.ts';
import { serviceNames, services } from '../services.ts';
import { buckets, consumers, streams } from './topology.ts';

/** The one sub-service that creates and changes streams and buckets. */
const keeper = serviceNames.find((name) => services[name].rights.keepsStreams)!;

/** All that messaging needs to know to carry this system's messages. */
export const contract = { keeper, streams: Object.values(streams), buckets, consumers, requests, commands };
