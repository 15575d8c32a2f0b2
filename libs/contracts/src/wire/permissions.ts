import { commands } from './commands.ts';
import { type Rights, type ServiceName, services } from '../services.ts';
import { buckets, consumers, streams } from './topology.ts';

/** What a user of the broker may do, in the words of its configuration. */
export interface Permissions {
  /** Denied is what lies within something allowed: the broker's wildcards stand for whole words. */
  publish: { allow: readonly string[]; deny: readonly string[] };
  subscribe: readonly string[];
}

/** Buckets that the messaging library keeps for itself. */
const LEASES = 'leases';
const SUSPECTS = 'suspects';
/** Written to learn whether leases can be written at all. */
const ASKED = 'asked';
/** What every process says to every other. */
const AMONG_ALL = ['tocsin.reach', 'tocsin.topology'];
const PING = 'system.ping';

/** The beginning of the addresses that a service's answers come back to; nobody else may listen there. */
function inboxOf(service: string): string {
  return `_INBOX.${service}`;
}

/**
 * The subjects that a sub-service may publish and subscribe to: its own, and the broker's own for what it does with them.
 * Everybody may answer everybody, as nobody can guess the address that an answer is waited for at. (The broker's own
 * `allow_responses` forgets what was asked on a connection that is made anew, and refuses the answer.)
 *
 * One service alone may create and update streams and buckets; the others tell it what is missing. None may delete or
 * empty one. The broker does not ask whether a user may publish to the address that it wants an answer at: with a value of a
 * bucket that it may read, everybody can put a message into any stream. So nobody acts on a command that no gateway has
 * signed.
 */
export function permissionsOf(service: ServiceName): Permissions {
  const of = services[service].rights;
  const own = ownConsumers(service);
  const serves = [...of.serves, PING, `operations.${service}.get`, `changes.${service}.list`];
  return {
    publish: {
      allow: [
        ...AMONG_ALL,
        '_INBOX.>',
        ...of.publishes,
        ...of.asks,
        ...of.gathers.map(everyOf),
        ...streamNames().map((stream) => `$JS.API.STREAM.INFO.${stream}`),
        ...(of.keepsStreams ? streamNames().flatMap(keeping) : []),
        '$JS.API.INFO',
        '$JS.API.STREAM.NAMES',
        ...own.flatMap(taking),
        ...(own.length > 0
          ? [...own.map(({ stream, durable }) => `deadletters.${stream}.${durable}`), ...suspecting(own)]
          : []),
        ...(of.leases.length > 0
          ? [
              ...reading(LEASES),
              ...[...of.leases.map((name) => `${name}.>`), ASKED].map((key) => `$KV.${LEASES}.${key}`),
            ]
          : []),
        ...of.follows.flatMap(following),
        ...of.keeps.flatMap((bucket) => [...reading(bucket), `$KV.${bucket}.>`]),
        ...overseeing(of.oversees),
      ],
      deny: of.follows.flatMap((stream) => othersOf(service, stream).flatMap((durable) => others({ stream, durable }))),
    },
    subscribe: [`${inboxOf(service)}.>`, ...AMONG_ALL, ...serves.flatMap((subject) => [subject, everyOf(subject)])],
  };
}

function everyOf(subject: string): string {
  return `every.${subject}`;
}

function streamNames(): string[] {
  const kept = [...buckets.map(({ name }) => name), LEASES, SUSPECTS].map((name) => `KV_${name}`);
  return [...new Set([...Object.values(streams).map(({ name }) => name), ...kept])];
}

function keeping(stream: string): string[] {
  return ['CREATE', 'UPDATE'].map((act) => `$JS.API.STREAM.${act}.${stream}`);
}

/** Durables are named after the service that they belong to; a prober's after its location, whatever that is. */
function ownConsumers(service: ServiceName): Own[] {
  const declared = Object.values(consumers).filter(({ durable }) => durable.startsWith(`${service}-`));
  return [
    ...declared.flatMap(({ stream, durable, filters }) =>
      service === 'prober'
        ? [{ stream, durable: '*', filter: 'checks.*.>' }]
        : filters.map((filter) => ({ stream, durable, filter })),
    ),
    ...(owns(service)
      ? [{ stream: streams.commands.name, durable: `${service}-commands`, filter: `commands.${service}.>` }]
      : []),
  ];
}

/** Whose messages a follower of the stream must leave alone. */
function othersOf(service: ServiceName, stream: string): string[] {
  const ofStream = Object.values(consumers).filter((consumer) => consumer.stream === stream);
  return ofStream.flatMap(({ durable }) => (durable.startsWith(`${service}-`) ? [] : [durable]));
}

/** Whether a sub-service sends commands or carries them out; most do neither. */
export function commandsPart(service: ServiceName): 'sends' | 'carries out' | undefined {
  if (services[service].rights.publishes.includes('commands.>')) return 'sends';
  return owns(service) ? 'carries out' : undefined;
}

function owns(service: ServiceName): boolean {
  return Object.values(commands).some((command) => command.service === service);
}

/** A consumer of a service's own, and the one filter that it may have: the subject by which it is created ends with it. */
interface Own {
  stream: string;
  durable: string;
  filter: string;
}

function taking({ stream, durable, filter }: Own): string[] {
  const of = `${stream}.${durable}`;
  return [
    `$JS.API.CONSUMER.INFO.${of}`,
    `$JS.API.CONSUMER.CREATE.${of}.${filter}`,
    `$JS.API.CONSUMER.MSG.NEXT.${of}`,
    `$JS.ACK.${of}.>`,
  ];
}

/** What belongs to another service's consumer. */
function others({ stream, durable }: Pick<Own, 'stream' | 'durable'>): string[] {
  const of = `${stream}.${durable}`;
  const acts = ['INFO', 'CREATE', 'DURABLE.CREATE', 'MSG.NEXT'].map((act) => `$JS.API.CONSUMER.${act}.${of}`);
  return [...acts, `$JS.API.CONSUMER.CREATE.${of}.>`, `$JS.ACK.${of}.>`];
}

function suspecting(own: readonly { durable: string }[]): string[] {
  return [...reading(SUSPECTS), ...own.map(({ durable }) => `$KV.${SUSPECTS}.${durable}.>`)];
}

function reading(bucket: string): string[] {
  const stream = `KV_${bucket}`;
  return [`$JS.API.DIRECT.GET.${stream}.>`, `$JS.API.STREAM.MSG.GET.${stream}`, ...following(stream)];
}

/** A consumer without a name of its own, which the broker forgets by itself. */
function following(stream: string): string[] {
  return [
    `$JS.API.CONSUMER.CREATE.${stream}`,
    `$JS.API.CONSUMER.CREATE.${stream}.>`,
    `$JS.API.CONSUMER.MSG.NEXT.${stream}.*`,
    `$JS.API.CONSUMER.INFO.${stream}.*`,
    `$JS.FC.${stream}.>`,
  ];
}

function overseeing(what: Rights['oversees']): string[] {
  if (what === 'nothing') return [];
  const queues = ['$JS.API.STREAM.LIST', '$JS.API.CONSUMER.LIST.*'];
  if (what === 'queues') return queues;
  const [letters, waiting] = [streams.deadLetters.name, streams.commands.name];
  return [
    ...queues,
    // Who holds which lease is shown to operators.
    ...reading(LEASES),
    `$JS.API.STREAM.MSG.GET.${letters}`,
    `$JS.API.STREAM.MSG.DELETE.${letters}`,
    // Whether a command still waits for its owner.
    `$JS.API.STREAM.MSG.GET.${waiting}`,
  ];
}
