export type { CommandContext } from './command-work.ts';
export type { CommandEnd, CommandOptions } from './commander.ts';
export type { CommandKeys } from './command-proof.ts';
export { Connection } from './connection.ts';
export {
  type BucketSpec,
  type CommandSpec,
  commandDurable,
  commandPattern,
  type ConsumerSpec,
  type HandlerOptions,
  type MessagingContract,
  type MessagingOptions,
  type RequestSpec,
  type Schema,
  type StreamSpec,
} from './contract.ts';
export { type DeadLetter, DeadLetters } from './dead-letters.ts';
export type { Delivery } from './delivery.ts';
export type { Follow, Followed, FollowFrom, FollowOptions } from './follow.ts';
export { HandBack } from './hand-back.ts';
export { KeyValue, type KeyValueEntry } from './key-value.ts';
export type { Lease } from './held-lease.ts';
export { Leases, type LeaseView } from './leases.ts';
export { Messaging } from './messaging.ts';
export { OutboxRelay, type OutboxRow, type OutboxSource } from './outbox-relay.ts';
export type { Published, PublishOptions } from './publisher.ts';
export type { QueueDepth } from './queues.ts';
export type { RequestContext } from './responder.ts';
export type { Rereading, RereadOptions } from './rereading.ts';
export { JetStreamTransport } from './transport.ts';
