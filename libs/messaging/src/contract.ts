import type { CommandKeys } from './wire/command-proof.ts';

/** What checks an unknown value and gives it its type; zod schemas satisfy it. */
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
  /** How many failures of one message are tried before it goes to the dead letters. */
  maxDeliver: number;
  /** The wait before each retry; the last one repeats. */
  backoffMs: readonly number[];
  maxAckPending: number;
}

/** A question to any one instance of a service, answered within `timeoutMs` or not at all. */
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

/** Everything that crosses a process, declared in one place. */
export interface MessagingContract {
  /** The one service that creates and changes streams and buckets; without a name everybody does. */
  keeper?: string;
  streams: readonly StreamSpec[];
  buckets: readonly BucketSpec[];
  consumers: Readonly<Record<string, ConsumerSpec>>;
  requests: Readonly<Record<string, RequestSpec>>;
  commands: Readonly<Record<string, CommandSpec>>;
}

/** How a process reaches the broker, and what it says there. */
export interface MessagingOptions {
  service: string;
  instance: string;
  servers: string[];
  user?: string | undefined;
  password?: string | undefined;
  /** Certificates (PEM) of the authority that signed the servers' own; with them every connection is encrypted. */
  ca?: string | undefined;
  replicas: 1 | 3;
  /** False for a process that waits for streams and buckets instead of creating them. */
  keepsStreams?: boolean | undefined;
  /** What proves the commands that it sends, or that it is sent. */
  commandKeys?: CommandKeys | undefined;
  contract: MessagingContract;
}

/** Second argument of `@EventPattern` and `@MessagePattern`. */
export interface HandlerOptions {
  /** Handler receives an array of up to this many deliveries. Left out: one at a time. */
  batch?: number;
  /** How long a batch waits to fill once it has its first delivery. Default 5. */
  lingerMs?: number;
  /** How many handlers run at once. Default 1 for batches, 16 for single deliveries, 256 for requests. */
  concurrency?: number;
  /** After this long the handler's signal is aborted and its acks are no longer extended. Default 120,000. */
  timeoutMs?: number;
}

export const COMMANDS_STREAM = 'COMMANDS';
export const DEADLETTERS_STREAM = 'DEADLETTERS';
export const LEASES_BUCKET = 'leases';
export const SUSPECTS_BUCKET = 'suspects';

/** The pattern a command's handler is registered under, and the first three tokens of its subject. */
export function commandPattern(spec: { service: string; name: string }): string {
  return `commands.${spec.service}.${spec.name}`;
}

/** The queue group that the instances of a service share its commands by. */
export function commandDurable(service: string): string {
  return `${service}-commands`;
}

/** The twin of a request's subject that every instance answers on (see `gather`). */
export function broadcastSubject(subject: string): string {
  return `every.${subject}`;
}

/** Where answers come back to. A server can be told that no other service may listen there. */
export function inboxPrefix({ service }: Pick<MessagingOptions, 'service'>): string {
  return `_INBOX.${service}`;
}
