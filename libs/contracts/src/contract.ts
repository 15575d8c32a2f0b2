import { commands } from './commands.ts';
import { requests } from './requests.ts';
import { rights, type ServiceName } from './rights.ts';
import { buckets, consumers, streams } from './topology.ts';

/** The one sub-service that creates and changes streams and buckets. */
const keeper = (Object.keys(rights) as ServiceName[]).find((name) => rights[name].keepsStreams)!;

/** All that messaging needs to know to carry this system's messages. */
export const contract = { keeper, streams: Object.values(streams), buckets, consumers, requests, commands };
