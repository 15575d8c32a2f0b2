export type { CommandContext } from './consume/command-consumer.ts';
export type { CommandOutcome, CommandOptions } from './client/commander.ts';
export type { CommandKeys } from './wire/command-proof.ts';
export { Connection } from './client/connection.ts';
export {
  type BatchOptions,
  type BucketSpec,
  type CommandSpec,
  type ConsumerSpec,
  type MessagingContract,
  type MessagingOptions,
  type RequestSpec,
  type Schema,
  type SingleOptions,
  type StreamSpec,
} from './contract.ts';
export { type DeadLetter } from './consume/dead-letters.ts';
export type { Delivery } from './consume/delivery.ts';
export type { Follow, Followed, FollowFrom, FollowOptions } from './client/follow.ts';
export { HandBack } from './consume/hand-back.ts';
export { KeyValue, type KeyValueEntry } from './client/key-value.ts';
export type { Lease } from './leases/held-lease.ts';
export { Leases, type LeaseView } from './leases/leases.ts';
export { Messaging } from './client/messaging.ts';
export { OutboxRelay, type OutboxRow, type OutboxSource } from './client/outbox-relay.ts';
export type { Published, PublishOptions } from './client/publisher.ts';
export type { QueueDepth } from './client/queues.ts';
export type { RequestContext } from './consume/responder.ts';
export type { LastPerSubjectPoll, LastPerSubjectOptions } from './client/last-per-subject-poll.ts';
export { Answers, CarriesOut, Consumes, type HandlerBinding } from './nest/decorators.ts';
export { JetStreamTransport } from './nest/transport.ts';
