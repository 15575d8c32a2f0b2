import { newId } from '@tocsin/core';
import { Database, migrate, Operations, Outbox } from '@tocsin/database';
import { atTheEnd, postgres } from '@tocsin/testing';
import fc from 'fast-check';
import { beforeAll, expect, it } from 'vitest';
import type { Notification, NotificationKind } from '../src/notifications/notification.ts';
import { ORPHANED_MS, plan, rankOf } from '../src/notifications/notification.rules.ts';
import { NotificationsStore } from '../src/notifications/notifications.store.ts';
import { claimedStatus } from './claim.model.ts';

const KINDS = ['opened', 'acknowledged', 'reminder', 'resolved', 'test'] as const satisfies NotificationKind[];
const CHANNELS = [newId(), newId()];
const INCIDENT = newId();

let db: Database;
let store: NotificationsStore;
beforeAll(async () => {
  db = new Database({ url: (await postgres()).urlFor('notifier'), schema: 'notifier', applicationName: 'test' });
  atTheEnd(() => db.close());
  await migrate(db, new URL('../migrations/', import.meta.url));
  store = new NotificationsStore(db, new Operations(db, new Outbox()));
});

type StoredNotification = Pick<Notification, 'channelId' | 'kind' | 'status' | 'createdAt'> & {
  id: string;
  lapsed: boolean;
};

const row = fc.record({
  channelId: fc.constantFrom(...CHANNELS),
  kind: fc.constantFrom(...KINDS),
  status: fc.constantFrom('pending', 'pending', 'sending', 'sent', 'failed', 'cancelled'),
  /** Of one that is being sent: its claim has run out. */
  lapsed: fc.boolean(),
  old: fc.boolean(),
});
const table = fc.record({
  rows: fc.uniqueArray(row, { maxLength: 10, selector: ({ channelId, kind }) => `${channelId} ${kind}` }),
  silenced: fc.boolean(),
  reminded: fc.option(fc.subarray(CHANNELS), { nil: undefined }),
});

async function fill(
  rows: readonly StoredNotification[],
  silenced: boolean,
  reminded: readonly string[] | undefined,
): Promise<void> {
  await db.query('TRUNCATE notifications, silenced, reminded');
  await db.query(
    `INSERT INTO notifications (id, incident_id, channel_id, channel_name, kind, step, status, attempts, "to", trace,
       created_at, due_at, claimed_by)
     SELECT id, incident_id, channel_id, '', kind, 0, status, 1, '', '{}', created_at,
       CASE WHEN status IN ('pending', 'sending') THEN now() + due_ms * interval '1 millisecond' END, 'another'
     FROM json_to_recordset($1) AS n (id uuid, incident_id uuid, channel_id uuid, kind text, status text,
       created_at timestamptz, due_ms integer)`,
    [
      JSON.stringify(
        rows.map(({ id, channelId, kind, status, createdAt, lapsed }) => ({
          id,
          incident_id: kind === 'test' ? null : INCIDENT,
          channel_id: channelId,
          kind,
          status,
          created_at: new Date(createdAt),
          due_ms: status === 'sending' && !lapsed ? 60_000 : -60_000,
        })),
      ),
    ],
  );
  if (silenced) await db.query('INSERT INTO silenced (incident_id) VALUES ($1)', [INCIDENT]);
  const channels = reminded && [...reminded];
  if (channels) await db.transaction((tx) => store.remind(tx, INCIDENT, { channels, revision: 1 }));
}

/** The delay that a notification of a transition would be planned with beside the others. */
function plannedDelayMs({ channelId, kind }: StoredNotification, others: readonly StoredNotification[]): number {
  const transition = kind as 'opened' | 'acknowledged' | 'resolved';
  const event = { incidentId: INCIDENT, transition, channels: [channelId] } as Parameters<typeof plan>[0];
  return plan(event, others).find((one) => one.channelId === channelId)!.delayMs;
}

it(
  'a claim takes, puts off and cancels what the rules say, and planning agrees with it',
  { timeout: 60_000 },
  async () => {
    await fc.assert(
      fc.asyncProperty(table, async ({ rows: drawn, silenced, reminded }) => {
        const now = Date.now();
        const rows = drawn.map(({ old, ...one }) => ({
          ...one,
          id: newId(),
          createdAt: old ? now - ORPHANED_MS - 60_000 : now,
        }));
        await fill(rows, silenced, reminded);
        const request = { holder: 'me', limit: 100, perChannel: 100, held: [], busy: [] };
        await store.claim({ ...request, lapsedBy: await store.now() });

        const ofIncident = rows.filter(({ kind }) => kind !== 'test');
        for (const one of rows) {
          const { status, attempts } = (await store.find(one.id))!;
          const due = one.status === 'pending' || (one.status === 'sending' && one.lapsed);
          const expected = due ? claimedStatus(one, { rows: ofIncident, silenced, reminded, now }) : one.status;
          expect([one.kind, status]).toEqual([one.kind, expected]);
          expect(attempts).toBe(due && expected === 'sending' ? 2 : 1);
          if (!due || expected === 'cancelled' || one.kind === 'reminder' || one.kind === 'test') continue;
          expect(
            plannedDelayMs(
              one,
              ofIncident.filter((other) => other !== one),
            ) === 0,
          ).toBe(expected === 'sending');
        }
      }),
      { numRuns: 150 },
    );
  },
);

it.each(KINDS)('a notification of kind %s has one place in the order, in the table and in the rules', async (kind) => {
  await fill(
    [{ id: newId(), channelId: CHANNELS[0]!, kind, status: 'sent', createdAt: 0, lapsed: false }],
    false,
    undefined,
  );
  expect(await db.query('SELECT rank FROM notifications')).toEqual([{ rank: rankOf(kind) }]);
});
