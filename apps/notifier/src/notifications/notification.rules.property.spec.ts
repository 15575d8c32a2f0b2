import type { IncidentEvent } from '@tocsin/contracts';
import { newId } from '@tocsin/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SendOutcome } from '../channels/sender.ts';
import { claimedStatus } from '../../test/claim.model.ts';
import type { Notification, NotificationKind } from './notification.ts';
import {
  BLOCKED_MS,
  ORPHANED_MS,
  OVERTAKEN_MS,
  plan,
  type Plan,
  rankOf,
  reminderAfter,
  settle,
} from './notification.rules.ts';

const [FIRST, ADDED] = [newId(), newId()];
const CHANNELS = [FIRST, ADDED];
const INCIDENT = newId();
const RETRY = { baseMs: 100, maxMs: 2_000, forMs: 20_000 };
/** An incident to whose monitor a channel is added while it is open, as its owner tells it. */
const MESSAGES = [
  { transition: 'opened', channels: [FIRST] },
  { transition: 'opened', channels: CHANNELS },
  { transition: 'acknowledged', channels: CHANNELS },
  { transition: 'resolved', channels: CHANNELS },
] as const;

type Message = (typeof MESSAGES)[number];

function anEvent({ transition, channels }: Message, remindEvery?: string): IncidentEvent {
  return {
    incidentId: INCIDENT,
    monitorId: newId(),
    monitorName: 'site',
    transition,
    state: 'down',
    reason: 'status',
    message: 'status 503',
    at: 1_000,
    openedAt: 1_000,
    channels: [...channels],
    ...(remindEvery === undefined ? {} : { remindEvery }),
  };
}

type DueNotification = Notification & { dueAt: number };

/** The table as the rules need it: rows unique by id, claimed one by one when they are due and nothing is before them. */
class Desk {
  now = 0;
  readonly rows = new Map<string, DueNotification>();
  /** Ids in the order in which their sending began for the first time. */
  readonly begun: string[] = [];
  readonly sent: string[] = [];
  private silenced = false;

  record(event: IncidentEvent): void {
    if (event.transition !== 'opened') this.silenced = true;
    this.insert(plan(event, [...this.rows.values()]), event);
  }

  claim(): DueNotification[] {
    const due = [...this.rows.values()].filter(({ status, dueAt }) => status === 'pending' && dueAt <= this.now);
    return due.filter((row) => {
      row.status = claimedStatus(row, { rows: [...this.rows.values()], silenced: this.silenced, now: this.now });
      if (row.status === 'pending') row.dueAt = this.now + BLOCKED_MS;
      if (row.status !== 'sending') return false;
      row.attempts += 1;
      if (!this.begun.includes(row.id)) this.begun.push(row.id);
      return true;
    });
  }

  settle(row: DueNotification, outcome: SendOutcome): void {
    const settlement = settle(row, outcome, RETRY, this.now);
    row.status = settlement.status;
    if (settlement.status === 'pending') row.dueAt = this.now + settlement.delayMs;
    else {
      if (settlement.status === 'sent') this.sent.push(row.id);
      if (!this.silenced) this.insert(reminderAfter(row), row.event);
      for (const other of this.rows.values()) {
        const later = other.channelId === row.channelId && rankOf(other.kind) > rankOf(row.kind);
        if (later && other.status === 'pending' && other.kind !== 'reminder') other.dueAt = this.now;
      }
    }
  }

  private insert(plans: readonly Plan[], event: IncidentEvent | undefined): void {
    for (const { delayMs, ...one } of plans) {
      if (this.rows.has(one.id)) continue;
      const known = { ...one, status: 'pending' as const, attempts: 0, channelName: 'c', to: 'x', trace: {} };
      this.rows.set(one.id, { ...known, event, incidentId: INCIDENT, createdAt: this.now, dueAt: this.now + delayMs });
    }
  }
}

const outcome: fc.Arbitrary<SendOutcome> = fc.constantFrom<SendOutcome>(
  { result: 'sent', answer: 'ok' },
  { result: 'sent', answer: 'ok' },
  { result: 'retry', answer: 'status 503' },
  { result: 'refused', answer: 'status 400' },
);
/** The transitions in any order, each delivered again and again, all within the time that one may overtake another. */
const story = fc.record({
  deliveries: fc.array(fc.record({ what: fc.nat(3), at: fc.nat(OVERTAKEN_MS - 600) }), { minLength: 1, maxLength: 12 }),
  outcomes: fc.array(outcome, { minLength: 1, maxLength: 12 }),
  takes: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 6 }),
  remindEvery: fc.constantFrom(undefined, '1s', '5s'),
  known: fc.integer({ min: 1, max: 4 }),
});

/** Half seconds go by; what is claimed is settled one to three of them later. */
function play({
  deliveries,
  outcomes,
  takes,
  remindEvery,
  known,
}: typeof story extends fc.Arbitrary<infer T> ? T : never) {
  const desk = new Desk();
  const sending: { row: DueNotification; until: number }[] = [];
  const all = [...deliveries, ...Array.from({ length: known }, (_, what) => ({ what, at: OVERTAKEN_MS - 600 }))];
  for (let n = 0; n < 400; n += 1) {
    desk.now = n * 500;
    for (const { what, at } of all.filter((one) => one.what < known && Math.ceil(one.at / 500) === n)) {
      desk.record(anEvent(MESSAGES[what]!, remindEvery));
      if (at % 2 === 0) desk.record(anEvent(MESSAGES[what]!, remindEvery));
    }
    for (const one of sending.filter(({ until }) => until === n)) {
      desk.settle(one.row, outcomes[(n + one.row.attempts) % outcomes.length]!);
    }
    for (const row of desk.claim()) sending.push({ row, until: n + takes[n % takes.length]! });
  }
  return desk;
}

describe('the notifications of an incident, whatever order its transitions come in and however often', () => {
  it('there is one for each channel, kind and step, and none is sent twice', () => {
    fc.assert(
      fc.property(story, (of) => {
        const desk = play(of);
        const names = [...desk.rows.values()].map(({ channelId, kind, step }) => `${channelId} ${kind} ${step}`);
        expect(new Set(names).size).toBe(names.length);
        expect(new Set(desk.sent).size).toBe(desk.sent.length);
        const plain = names.filter((name) => !name.includes('reminder'));
        expect(plain.toSorted()).toEqual(
          [
            ...new Set(
              MESSAGES.slice(0, of.known).flatMap(({ transition, channels }) =>
                channels.map((channel) => `${channel} ${transition} 0`),
              ),
            ),
          ].toSorted(),
        );
      }),
      { numRuns: 60 },
    );
  });

  it('the opening begins first, and nothing overtakes what was recorded before it; reminders count up and end', () => {
    fc.assert(
      fc.property(story, (of) => {
        const desk = play(of);
        for (const channelId of CHANNELS) {
          const own = desk.begun.map((id) => desk.rows.get(id)!).filter((row) => row.channelId === channelId);
          expect(own.slice(0, 1).map(({ kind }) => kind)).toEqual(own.length > 0 ? ['opened'] : []);
          const overtaken = own.filter((row, n) =>
            own.slice(0, n).some((other) => rankOf(other.kind) > rankOf(row.kind) && other.createdAt >= row.createdAt),
          );
          expect(overtaken.map(({ kind }) => kind)).toEqual([]);
          const reminders = own.filter(({ kind }) => kind === 'reminder');
          expect(reminders.map(({ step }) => step)).toEqual(reminders.map((_, n) => n + 1));
          const ended = own.findIndex(({ kind }) => kind === 'resolved');
          const after = ended === -1 ? [] : own.slice(ended);
          expect(after.map(({ kind }) => kind)).not.toContain('reminder');
        }
      }),
      { numRuns: 60 },
    );
  });

  it('each ends as sent, failed or cancelled; while the incident is open the next reminder waits', () => {
    fc.assert(
      fc.property(story, (of) => {
        const open: NotificationKind[] = [...play(of).rows.values()]
          .filter(({ status }) => status === 'pending' || status === 'sending')
          .map(({ kind }) => kind);
        expect(open.filter((kind) => kind !== 'reminder')).toEqual([]);
        expect(of.known > 2 ? open : []).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });

  it('an end whose opening never comes begins nowhere, and waits no longer than a day', () => {
    const desk = new Desk();
    desk.record(anEvent(MESSAGES[3]));
    for (let n = 0; n * BLOCKED_MS < ORPHANED_MS + 2 * BLOCKED_MS; n += 1) {
      desk.now = n * BLOCKED_MS;
      expect(desk.claim()).toEqual([]);
    }
    expect([...desk.rows.values()].map(({ status }) => status)).toEqual(['cancelled', 'cancelled']);
  });

  it('a channel that heard the opening hears the rest once, whatever channels the event names', () => {
    fc.assert(
      fc.property(fc.subarray(CHANNELS), fc.subarray(CHANNELS), (told, named) => {
        const siblings = told.map((channelId) => ({ channelId, kind: 'opened' as const, status: 'sent' as const }));
        const plans = plan({ ...anEvent(MESSAGES[3]), channels: named }, siblings);
        expect(plans.map(({ channelId }) => channelId).toSorted()).toEqual(
          [...new Set([...told, ...named])].toSorted(),
        );
      }),
    );
  });
});
