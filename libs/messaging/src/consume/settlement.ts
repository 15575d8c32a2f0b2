import { errors, type Msg } from '@nats-io/transport-node';
import { TocsinError } from '@tocsin/core';
import { HandBack } from './hand-back.ts';

/** How a handler ended, with what it returned. */
export type HandlerOutcome = { ok: true; result?: unknown } | { ok: false; error: unknown };

/** What settlement needs to know about a delivery. */
export interface DeliveryHistory {
  /** `command`: the refusal is an answer to the client, so it settles the message instead of making it a dead letter. */
  kind: 'event' | 'command';
  /** How often the broker has delivered it, this time included. */
  deliveries: number;
  /** How many of its failures counted, this one included (see `countsAsFailure`). */
  failures: number;
  maxDeliver: number;
  backoffMs: readonly number[];
}

/** What becomes of a delivery, and why in one word. */
export type Settlement =
  | { act: 'ack'; reason: 'handled' | 'refused' }
  | { act: 'nak'; delayMs: number; reason: 'handed_back' | 'unavailable' | 'failed' }
  | {
      act: 'dead';
      code: string;
      reason: 'unparsable' | 'unproven' | 'refused' | 'exhausted' | 'deadly';
      message: string;
    };

const DEFAULT_BACKOFF_MS = 1_000;
/** A message that met an outage is tried again soon after its end. The worker's `OutageBackoff` bounds the cost. */
const OUTAGE_RETRY_MS = 1_000;

/** The schema refuses the payload: no retry can help. */
export class UnparsablePayload extends Error {}

/** The command does not prove who sent it: the owner ignores its content. */
export class UnprovenCommand extends Error {}

/**
 * Whether the failure may be the message's own fault and a retry may help. A returned delivery, a retryable TocsinError (an
 * outage) and a redelivery after a crash do not count, so an outage of any length makes no dead letters. An error that no
 * retry can help needs no count.
 */
export function countsAsFailure(outcome: HandlerOutcome): boolean {
  if (outcome.ok) return false;
  const { error } = outcome;
  return ![HandBack, UnparsablePayload, UnprovenCommand, TocsinError].some((kind) => error instanceof kind);
}

/** Whether a dependency of the handler is unreachable, so that another delivery would fail in the same way now. */
export function isOutage(outcome: HandlerOutcome): boolean {
  return !outcome.ok && outcome.error instanceof TocsinError && outcome.error.retry;
}

/** Decides what becomes of a delivery. */
export function settle(outcome: HandlerOutcome, history: DeliveryHistory): Settlement {
  if (outcome.ok) return { act: 'ack', reason: 'handled' };
  const { error } = outcome;
  if (error instanceof HandBack) return { act: 'nak', delayMs: error.delayMs, reason: 'handed_back' };
  if (error instanceof UnparsablePayload)
    return { act: 'dead', code: 'invalid', reason: 'unparsable', message: error.message };
  if (error instanceof UnprovenCommand)
    return { act: 'dead', code: 'forbidden', reason: 'unproven', message: error.message };
  if (error instanceof TocsinError) {
    if (error.retry) {
      const delayMs = Math.min(OUTAGE_RETRY_MS, backoff(history.backoffMs, history.deliveries));
      return { act: 'nak', delayMs, reason: 'unavailable' };
    }
    if (history.kind === 'command') return { act: 'ack', reason: 'refused' };
    return { act: 'dead', code: error.code, reason: 'refused', message: error.message };
  }
  if (history.failures < history.maxDeliver)
    return { act: 'nak', delayMs: backoff(history.backoffMs, history.failures), reason: 'failed' };
  return {
    act: 'dead',
    code: 'internal',
    reason: 'exhausted',
    message: error instanceof Error ? error.message : String(error),
  };
}

/** The settlement of a message that crashed its process too often. */
export function afterCrashes({ deliveries }: { deliveries: number }): Settlement & { act: 'dead' } {
  const message = `Its handler began several times and never ended: the message crashes its process. It was delivered ${deliveries} times.`;
  return { act: 'dead', code: 'internal', reason: 'deadly', message };
}

function backoff(waits: readonly number[], nth: number): number {
  return waits[Math.min(nth, waits.length) - 1] ?? DEFAULT_BACKOFF_MS;
}

const encoder = new TextEncoder();
const ACK = encoder.encode('+ACK');
const NAK = encoder.encode('-NAK');
const WORKING = encoder.encode('+WPI');

/** On a closed connection nothing can be sent, and nothing has to be: the broker delivers the message again. */
function respond(msg: Msg, what: Uint8Array | string): void {
  try {
    msg.respond(what);
  } catch (error) {
    if (!(error instanceof errors.ClosedConnectionError)) throw error;
  }
}

/** Acknowledges the delivery: the broker forgets it. */
export function ack(msg: Msg): void {
  respond(msg, ACK);
}

/** Returns the delivery; the broker delivers it again after `delayMs`. */
export function nak(msg: Msg, delayMs: number): void {
  respond(msg, delayMs > 0 ? `-NAK {"delay":${Math.round(delayMs * 1e6)}}` : NAK);
}

/** Starts the delivery's ack wait again. */
export function working(msg: Msg): void {
  respond(msg, WORKING);
}

/** Terminates the delivery: the broker will not deliver it again, and a work queue drops it. */
export function term(msg: Msg, reason: string): void {
  respond(msg, `+TERM ${reason.replace(/[^\x20-\x7e]/g, ' ').slice(0, 120)}`);
}
