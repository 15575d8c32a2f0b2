import type { ConsumerSpec, HandlerOptions } from '../contract.ts';
import type { ReceivedDelivery } from './delivery.ts';
import type { Outcome, Verdict } from './settlement.ts';

/** How a handler ended, with what it returned. */
export type Ending = Outcome & { result?: unknown };

/** What a worker runs, and how. */
export interface Work {
  spec: ConsumerSpec;
  /** `command`: somebody waits for the answer, and a refusal is one. */
  kind: 'event' | 'command';
  options: HandlerOptions;
  /** The payload as its handler gets it; throws if it does not fit. */
  parse(delivery: ReceivedDelivery): unknown;
  handle(data: unknown, delivery: ReceivedDelivery): Promise<unknown>;
  /** Told the end of every delivery, for answering commands. */
  ended?(delivery: ReceivedDelivery, verdict: Verdict, ending: Ending): void;
}
