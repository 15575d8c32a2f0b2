import type { ConsumerSpec, HandlerOptions } from '../contract.ts';
import type { ReceivedDelivery } from './delivery.ts';
import type { HandlerOutcome, Settlement } from './settlement.ts';

/** Everything that a worker needs to serve one durable consumer. */
export interface ConsumerDefinition {
  spec: ConsumerSpec;
  /** `command`: a client waits for the answer, and a refusal is one. */
  kind: 'event' | 'command';
  options: HandlerOptions;
  /** The payload as the handler receives it; throws if it does not fit the contract. */
  parse(delivery: ReceivedDelivery): unknown;
  handle(data: unknown, delivery: ReceivedDelivery): Promise<unknown>;
  /** Called after each delivery is settled: commands are answered here. */
  onSettled?(delivery: ReceivedDelivery, settlement: Settlement, outcome: HandlerOutcome): void;
}
