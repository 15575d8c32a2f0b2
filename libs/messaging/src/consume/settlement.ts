import { errors, type Msg } from '@nats-io/transport-node';
import { TocsinError } from '@tocsin/core';
import { HandBack } from './hand-back.ts';

/** How a handler ended. */
export type Outcome = { ok: true } | { ok: false; error: unknown };

/** What settlement needs to know of a delivery. */
export interface Circumstances {
  /** `command`: a refusal is an answer to somebody, so it settles the message instead of making it a dead letter. */
  kind: 'event' | 'command';
  /** How often the broker has delivered it, this time included. */
  deliveries: number;
  /** How many of its failures counted, this one included (see `counts`). */
  failures: number;
  maxDeliver: number;
  backoffMs: readonly number[];
}

/** What becomes of a delivery, and why in one word. */
export type Verdict =
  | { act: 'ack'; reason: 'handled' | 'refused' }
  | { act: 'nak'; delayMs: number; reason: 'handed_back' | 'unavailable' | 'failed' }
  | {
      act: 'dead';
      code: string;
      reason: 'unparsable' | 'unproven' | 'refused' | 'exhausted' | 'deadly';
      message: string;
    };

const DEFAULT_BACKOFF_MS = 1_000;
/** What waits for something that is away is tried again soon after it is back; the worker's lull bounds what that costs. */
const AWAY_BACKOFF_MS = 1_000;

/** A payload that its schema refuses: no retry can help. */
export class Unparsable extends Error {}

/** A command that does not prove who sent it: nothing of it is acted on. */
export class Unproven extends Error {}

/**
 * Whether it failed through what may be the message's own fault and may pass. Being handed back, a retryable TocsinError
 * (something it needs is away) and redeliveries after a crash do not count, so an outage of any length makes no dead
 * letters; what no retry can help needs no count.
 */
export function counts(outcome: Outcome): boolean {
  if (outcome.ok) return false;
  const { error } = outcome;
  return ![HandBack, Unparsable, Unproven, TocsinError].some((kind) => error instanceof kind);
}

/** Whether something that its handler needs is away: another delivery now would find the same. */
export function isAway(outcome: Outcome): boolean {
  return !outcome.ok && outcome.error instanceof TocsinError && outcome.error.retry;
}

/** Decides what becomes of a delivery. */
export function decide(outcome: Outcome, c: Circumstances): Verdict {
  if (outcome.ok) return { act: 'ack', reason: 'handled' };
  const { error } = outcome;
  if (error instanceof HandBack) return { act: 'nak', delayMs: error.delayMs, reason: 'handed_back' };
  if (error instanceof Unparsable)
    return { act: 'dead', code: 'invalid', reason: 'unparsable', message: error.message };
  if (error instanceof Unproven) return { act: 'dead', code: 'forbidden', reason: 'unproven', message: error.message };
  if (error instanceof TocsinError) {
    if (error.retry) {
      const delayMs = Math.min(AWAY_BACKOFF_MS, backoff(c.backoffMs, c.deliveries));
      return { act: 'nak', delayMs, reason: 'unavailable' };
    }
    if (c.kind === 'command') return { act: 'ack', reason: 'refused' };
    return { act: 'dead', code: error.code, reason: 'refused', message: error.message };
  }
  if (c.failures < c.maxDeliver) return { act: 'nak', delayMs: backoff(c.backoffMs, c.failures), reason: 'failed' };
  return {
    act: 'dead',
    code: 'internal',
    reason: 'exhausted',
    message: error instanceof Error ? error.message : String(error),
  };
}

function backoff(waits: readonly number[], nth: number): number {
  return waits[Math.min(nth, waits.length) - 1] ?? DEFAULT_BACKOFF_MS;
}

const encoder = new TextEncoder();
const ACK = encoder.encode('+ACK');
const NAK = encoder.encode('-NAK');
const WORKING = encoder.encode('+WPI');

/** On a closed connection nothing can be said, and nothing needs to be: the broker delivers it again. */
function tell(msg: Msg, what: Uint8Array | string): void {
  try {
    msg.respond(what);
  } catch (error) {
    if (!(error instanceof errors.ClosedConnectionError)) throw error;
  }
}

/** Tells the broker that the delivery is done with. */
export function ack(msg: Msg): void {
  tell(msg, ACK);
}

/** Gives the delivery back; the broker delivers it again after `delayMs`. */
export function nak(msg: Msg, delayMs: number): void {
  tell(msg, delayMs > 0 ? `-NAK {"delay":${Math.round(delayMs * 1e6)}}` : NAK);
}

/** Starts the delivery's ackWait anew. */
export function working(msg: Msg): void {
  tell(msg, WORKING);
}

/** Takes a delivery out of its consumer, and so out of a work queue: it will not be delivered again. */
export function term(msg: Msg, reason: string): void {
  tell(msg, `+TERM ${reason.replace(/[^\x20-\x7e]/g, ' ').slice(0, 120)}`);
}
