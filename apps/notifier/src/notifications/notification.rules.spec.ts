import type { IncidentEvent } from '@tocsin/contracts';
import { newId } from '@tocsin/core';
import { describe, expect, it } from 'vitest';
import type { Notification } from './notification.ts';
import { BLOCKED_MS, OVERTAKEN_MS, plan, reminderAfter, settle, type Sibling } from './notification.rules.ts';

const CHANNEL = newId();

function anEvent(over: Partial<IncidentEvent> = {}): IncidentEvent {
  return {
    incidentId: '0190a000-0000-7000-8000-000000000001',
    monitorId: '0190a000-0000-7000-8000-000000000002',
    monitorName: 'site',
    transition: 'opened',
    state: 'down',
    reason: 'status',
    message: 'status 503, expected 200-299',
    at: 1000,
    openedAt: 1000,
    channels: [CHANNEL],
    ...over,
  };
}

const sibling = (kind: Sibling['kind'], status: Sibling['status']): Sibling => ({ channelId: CHANNEL, kind, status });

describe('plan', () => {
  it('makes one notification for each channel, due at once', () => {
    const channels = [newId(), newId()];
    expect(plan(anEvent({ channels }), []).map(({ channelId, kind, delayMs }) => [channelId, kind, delayMs])).toEqual(
      channels.map((id) => [id, 'opened', 0]),
    );
  });

  it('a notification has the same name in every instance that plans it', () => {
    expect(plan(anEvent(), [])).toEqual(plan(anEvent(), []));
    expect(plan(anEvent(), [])[0]?.id).not.toBe(plan(anEvent({ transition: 'resolved' }), [])[0]?.id);
  });

  it.each([
    ['an opening that is still tried holds it back', [sibling('opened', 'pending')], BLOCKED_MS],
    ['an opening that is being sent holds it back', [sibling('opened', 'sending')], BLOCKED_MS],
    ['an opening that was sent does not', [sibling('opened', 'sent')], 0],
    ['an opening that failed for good does not', [sibling('opened', 'failed')], 0],
    [
      'an acknowledgement that is still tried holds it back',
      [sibling('opened', 'sent'), sibling('acknowledged', 'pending')],
      BLOCKED_MS,
    ],
    ['a reminder that waits does not', [sibling('opened', 'sent'), sibling('reminder', 'pending')], 0],
    [
      'a reminder that is being sent holds it back',
      [sibling('opened', 'sent'), sibling('reminder', 'sending')],
      BLOCKED_MS,
    ],
    ['an opening that has not arrived is waited for', [], OVERTAKEN_MS],
  ])('of a resolution: %s', (_, siblings, delayMs) => {
    expect(plan(anEvent({ transition: 'resolved' }), siblings)[0]?.delayMs).toBe(delayMs);
  });

  it('does not wait for what happens on another channel', () => {
    const other = { ...sibling('opened', 'pending'), channelId: newId() };
    const plans = plan(anEvent({ transition: 'resolved' }), [other, sibling('opened', 'sent')]);
    expect(plans[0]?.delayMs).toBe(0);
  });
});

describe('reminderAfter', () => {
  const of = (kind: Sibling['kind'], step: number, remindEvery?: string) =>
    reminderAfter({ kind, step, channelId: CHANNEL, event: anEvent({ remindEvery }) });

  it('an opening is followed by the first reminder, and each reminder by the next, one period later', () => {
    expect(of('opened', 0, '5m')).toMatchObject([{ kind: 'reminder', step: 1, delayMs: 300_000 }]);
    expect(of('reminder', 3, '1h')).toMatchObject([{ kind: 'reminder', step: 4, delayMs: 3_600_000 }]);
  });

  it('nothing else is, and nothing where none are wanted', () => {
    expect(of('opened', 0)).toEqual([]);
    expect(of('resolved', 0, '5m')).toEqual([]);
    expect(of('acknowledged', 0, '5m')).toEqual([]);
  });
});

describe('settle', () => {
  const rules = { baseMs: 1_000, maxMs: 900_000, forMs: 86_400_000 };
  const of = (over: Partial<Notification> = {}): Notification => ({
    id: newId(),
    channelId: CHANNEL,
    channelName: 'hook',
    kind: 'opened',
    step: 0,
    status: 'sending',
    attempts: 1,
    to: 'x',
    trace: {},
    createdAt: 0,
    ...over,
  });

  it('what was sent is sent', () => {
    expect(settle(of(), { result: 'sent', answer: 'ok' }, rules, 5)).toEqual({ status: 'sent', answer: 'ok' });
  });

  it('what was refused has failed, and is not tried again', () => {
    expect(settle(of(), { result: 'refused', answer: 'status 400' }, rules, 5).status).toBe('failed');
  });

  it('what may work later is tried again after a wait that grows, with jitter, up to its bound', () => {
    for (const [attempts, most] of [
      [1, 1_000],
      [4, 8_000],
      [50, 900_000],
    ] as const) {
      const settlement = settle(of({ attempts }), { result: 'retry', answer: 'x' }, rules, 5);
      expect(settlement.status).toBe('pending');
      if (settlement.status !== 'pending') continue;
      expect(settlement.delayMs).toBeLessThanOrEqual(most);
      expect(settlement.delayMs).toBeGreaterThanOrEqual(most / 2);
    }
  });

  it('waits as long as the receiver asks, up to an hour', () => {
    const wait = (retryAfterMs: number) => settle(of(), { result: 'retry', answer: 'x', retryAfterMs }, rules, 5);
    expect(wait(30_000)).toMatchObject({ delayMs: 30_000 });
    expect(wait(999_999_999)).toMatchObject({ delayMs: 3_600_000 });
  });

  it('gives up when its time is over, and says so', () => {
    const settlement = settle(of({ attempts: 90 }), { result: 'retry', answer: 'status 503' }, rules, 86_400_000);
    expect(settlement).toEqual({ status: 'failed', answer: 'given up after 90 attempts; the last: status 503' });
  });

  it('tries a test once', () => {
    expect(settle(of({ kind: 'test' }), { result: 'retry', answer: 'x' }, rules, 5).status).toBe('failed');
  });
});
