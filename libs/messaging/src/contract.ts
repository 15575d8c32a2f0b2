import type { CommandKeys } from './wire/command-proof.ts';

/** Checks an unknown value and gives it its type. Zod schemas satisfy it. */
export interface Schema<T> {
  parse(input: unknown): T;
}

/** One JetStream stream. Reconciled at boot: created if absent, updated if different, never emptied. */
export interface StreamSpec {
  name: string;
  subjects: readonly string[];
  retention: 'workqueue' | 'limits';
  storage: 'file' | 'memory';
  maxAgeMs: number;
  maxBytes: number;
  maxMessagesPerSubject?: number | undefined;
  discard: 'old' | 'new';
  duplicateWindowMs: number;
}

/** One key-value bucket. */
export interface BucketSpec {
  name: string;
  history: number;
  ttlMs?: number | undefined;
  maxBytes: number;
  storage: 'file' | 'memory';
}

/** One durable consumer; every instance that serves it shares its messages (a queue group). */
export interface ConsumerSpec<T = unknown> {
  durable: string;
  stream: string;
  filters: readonly string[];
  schema: Schema<T>;
  /** How long a delivery may stay unanswered before another instance gets it. */
  ackWaitMs: number;
  /** After this many failures the message goes to the dead letters. */
  maxDeliver: number;
  /** The wait before each retry; the last one repeats. */
  backoffMs: readonly number[];
  maxAckPending: number;
}

/** A request to any one instance of a service, answered within `timeoutMs` or not at all. */
export interface RequestSpec<I = unknown, O = unknown> {
  kind: 'request';
  subject: string;
  input: Schema<I>;
  output: Schema<O>;
  timeoutMs: number;
}

/** A change that is carried out once accepted; it travels on `commands.<service>.<name>.<operationId>`. */
export interface CommandSpec<I = unknown, O = unknown> {
  kind: 'command';
  service: string;
  name: string;
  input: Schema<I>;
  output: Schema<O>;
}

/** The streams and buckets of a system. Consumers, requests and commands are declared where they are handled (`@Consumes` …). */
export interface MessagingContract {
  /** The one service that creates and changes streams and buckets. Without a name every service does. */
  keeper?: string;
  streams: readonly StreamSpec[];
  buckets: readonly BucketSpec[];
}

/** How a process connects to the broker, and who it is there. */
export interface MessagingOptions {
  service: string;
  instance: string;
  servers: string[];
  user?: string | undefined;
  password?: string | undefined;
  /** Certificates (PEM) of the authority that signed those of the servers. With them every connection is encrypted. */
  ca?: string | undefined;
  replicas: 1 | 3;
  /** False for a process that waits for streams and buckets instead of creating them. */
  keepsStreams?: boolean | undefined;
  /** The keys that prove the commands that it sends or receives. */
  commandKeys?: CommandKeys | undefined;
  contract: MessagingContract;
}

interface ConsumerOptions {
  /** How many handlers run at once. Default 1 for batches, 16 for single deliveries. */
  concurrency?: number;
  /** After this long the handler's signal is aborted and its ack wait is no longer extended. Default 120,000. */
  timeoutMs?: number;
}

/** How a handler takes one delivery at a time. */
export interface SingleOptions extends ConsumerOptions {
  batch?: never;
}

/** How a handler takes deliveries in batches. */
export interface BatchOptions extends ConsumerOptions {
  /** The largest batch. */
  batch: number;
  /** How long a batch waits to fill up once it has its first delivery. Default 5. */
  lingerMs?: number;
}

export type HandlerOptions = SingleOptions | BatchOptions;

export const COMMANDS_STREAM = 'COMMANDS';
export const DEADLETTERS_STREAM = 'DEADLETTERS';
export const LEASES_BUCKET = 'leases';
export const SUSPECTS_BUCKET = 'suspects';

/** The first three tokens of a command's subject: its handler is registered under them. */
export function commandPattern(spec: { service: string; name: string }): string {
  return `commands.${spec.service}.${spec.name}`;
}

/** The durable by which the instances of a service share its commands. */
export function commandDurable(service: string): string {
  return `${service}-commands`;
}

/** The twin of a request's subject that every instance answers on (see `gather`). */
export function broadcastSubject(subject: string): string {
  return `every.${subject}`;
}

/** The prefix of a service's reply addresses. The broker's permissions let no other service listen there. */
export function inboxPrefix({ service }: Pick<MessagingOptions, 'service'>): string {
  return `_INBOX.${service}`;
}
