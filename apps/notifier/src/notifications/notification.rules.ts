import type { IncidentEvent } from '@tocsin/contracts';
import { backoff, durationMs, idFrom } from '@tocsin/core';
import type { SendOutcome } from '../channels/sender.ts';
import type { Notification, NotificationKind, Recipients } from './notification.ts';

/** What must be sent before what, within an incident and channel. The table has the same rule in its column `rank`; a test compares them. */
const RANK: Record<NotificationKind, number> = { opened: 0, acknowledged: 1, reminder: 1, resolved: 2, test: 1 };

/** What comes before its turn looks again after this long, should nobody tell it that its turn has come. */
export const BLOCKED_MS = 30_000;
/**
 * A notification whose opening has not arrived waits this long for it: two events may overtake each other, and an opening
 * that the stream lost is published again by its owner, who asks after 3 s. A resolution must not come before its alarm.
 */
export const OVERTAKEN_MS = 20_000;
/** What has waited this long for its opening is cancelled: a channel that heard no beginning hears no end. */
export const ORPHANED_MS = 86_400_000;
/** A receiver's Retry-After is honoured up to here. */
const LONGEST_RETRY_AFTER_MS = 3_600_000;
const MOST_ATTEMPTS = 300;

/** What is known of an incident's other notifications to the same channel. */
export interface Sibling {
  channelId: string;
  kind: NotificationKind;
  status: Notification['status'];
}

/** A notification to make. */
export interface Plan {
  id: string;
  channelId: string;
  kind: NotificationKind;
  step: number;
  /** How long from now until it may be sent, in ms. 0: at once. */
  delayMs: number;
}

/**
 * The notifications that an event asks for: one for each of its channels, and for each that was told of the opening,
 * whatever the monitor's channels are by now.
 * @param siblings what the incident has already
 */
export function plan(event: IncidentEvent, siblings: readonly Sibling[]): Plan[] {
  const { incidentId, transition: kind } = event;
  const told = siblings.filter((sibling) => sibling.kind === 'opened').map(({ channelId }) => channelId);
  return [...new Set([...event.channels, ...told])].map((channelId) => {
    const own = siblings.filter((sibling) => sibling.channelId === channelId);
    const id = notificationId(incidentId, channelId, kind, 0);
    return { id, channelId, kind, step: 0, delayMs: delayOf(kind, own) };
  });
}

/** The reminder that follows an opening (step 0) or a reminder once that is settled: none where none are wanted. */
export function reminderAfter(of: Pick<Notification, 'event' | 'kind' | 'channelId' | 'step'>): Plan[] {
  const { event, kind, channelId } = of;
  if (event?.remindEvery === undefined || (kind !== 'opened' && kind !== 'reminder')) return [];
  const step = of.step + 1;
  const id = notificationId(event.incidentId, channelId, 'reminder', step);
  return [{ id, channelId, kind: 'reminder', step, delayMs: durationMs(event.remindEvery) }];
}

/** Every instance gives a notification the same identifier, which is the idempotency key of every attempt. */
function notificationId(incidentId: string, channelId: string, kind: NotificationKind, step: number): string {
  return idFrom(`notification:${incidentId}:${channelId}:${kind}:${step}`);
}

/** In order per incident and channel: nothing is skipped, and nothing overtakes what is still being tried. */
function delayOf(kind: NotificationKind, siblings: readonly Sibling[]): number {
  if (siblings.some((sibling) => blocks(sibling, kind))) return BLOCKED_MS;
  if (kind !== 'opened' && !siblings.some((sibling) => sibling.kind === 'opened')) return OVERTAKEN_MS;
  return 0;
}

/** Whether a notification of a kind must wait for this one. The statement `CLAIM` has the same rule; a property test compares them. */
export function blocks(before: Pick<Sibling, 'kind' | 'status'>, kind: NotificationKind): boolean {
  if (RANK[before.kind] >= RANK[kind]) return false;
  return before.status === 'sending' || (before.status === 'pending' && before.kind !== 'reminder');
}

/** What becomes of a notification after an attempt. */
export type Settlement = { answer: string; recipients?: Recipients | undefined } & (
  { status: 'sent' | 'failed' } | { status: 'pending'; delayMs: number }
);

export interface RetryRules {
  baseMs: number;
  maxMs: number;
  /** How long it is tried in all, in ms. */
  forMs: number;
}

/**
 * Decides what becomes of a notification after an attempt: sent, failed for good, or tried again after a growing,
 * jittered wait (or the one the receiver asks for). A test is tried once: a person is waiting for its answer.
 */
export function settle(of: Notification, outcome: SendOutcome, rules: RetryRules, now: number): Settlement {
  const { answer, recipients } = outcome;
  const known = recipients ? { answer, recipients } : { answer };
  if (outcome.result === 'sent') return { status: 'sent', ...known };
  if (outcome.result === 'refused' || of.kind === 'test') return { status: 'failed', ...known };
  const wanted = Math.min(outcome.retryAfterMs ?? 0, LONGEST_RETRY_AFTER_MS);
  const delayMs = Math.round(Math.max(wanted, backoff(of.attempts, rules)));
  if (of.attempts >= MOST_ATTEMPTS || now + delayMs - of.createdAt > rules.forMs) {
    return { status: 'failed', ...known, answer: `given up after ${of.attempts} attempts; the last: ${answer}` };
  }
  return { status: 'pending', ...known, delayMs };
}

/** The place of a kind in the order that an incident's notifications to one channel are sent in. */
export function rankOf(kind: NotificationKind): number {
  return RANK[kind];
}
