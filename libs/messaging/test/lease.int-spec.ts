import { systemClock } from '@tocsin/core';
import { natsServer, until } from '@tocsin/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Lease, Messaging } from '../src/index.ts';
import { client } from './harness.ts';

const TTL_MS = 600;

let url: string;
let a: Messaging;
let b: Messaging;

beforeAll(async () => {
  url = (await natsServer()).url;
  [a, b] = await Promise.all([client(url), client(url)]);
});

const take = (by: Messaging, name: string, holder: string) => by.leases.acquire(name, { holder, ttlMs: TTL_MS });

async function eventually(by: Messaging, name: string, holder: string): Promise<Lease> {
  return until(() => take(by, name, holder), { what: `${holder} holds ${name}`, timeoutMs: 5_000 });
}

describe('a lease', () => {
  it('is held by one only, however many try at once, and shown with its holder', async () => {
    const tries = await Promise.all(Array.from({ length: 10 }, (_, i) => take(i % 2 ? a : b, 'race', `h${i}`)));
    const winners = tries.filter((lease) => lease !== undefined);
    expect(winners).toHaveLength(1);
    expect(winners[0]!.isHeld()).toBe(true);
    const shown = (await a.leases.list()).find(({ name }) => name === 'race');
    expect(shown).toMatchObject({ holder: `h${tries.indexOf(winners[0])}`, fence: winners[0]!.fence });
    await winners[0]!.release();
  });

  it('is renewed for as long as its holder lives', async () => {
    const lease = await eventually(a, 'kept', 'a');
    const until = systemClock.monotonic() + 3 * TTL_MS;
    while (systemClock.monotonic() < until) {
      expect(await take(b, 'kept', 'b')).toBeUndefined();
      expect(lease.isHeld()).toBe(true);
      await new Promise((resolve) => setTimeout(resolve, TTL_MS / 8));
    }
    await lease.release();
  });

  it('can be taken at once when it is released, with a larger fence', async () => {
    const first = await eventually(a, 'handed-over', 'a');
    await first.release();
    expect(first.isHeld()).toBe(false);
    expect(await first.lost).toBe('released');
    const second = await until(() => take(b, 'handed-over', 'b'), {
      timeoutMs: TTL_MS / 2,
      what: 'taken before any ttl',
    });
    expect(second.isHeld()).toBe(true);
    expect(second.fence).toBeGreaterThan(first.fence);
    await second.release();
  });

  it('goes to another when its holder is cut off, and the holder knows before that', async () => {
    const cut = await client(url);
    const lease = await eventually(cut, 'cut', 'frozen');
    expect(await take(b, 'cut', 'b')).toBeUndefined();
    const heldUntil = lease.lost.then(() => systemClock.monotonic());
    await cut.connection.nats.close();
    await until(async () => (await a.leases.list()).find(({ name, expired }) => name === 'cut' && expired), {
      what: 'shown as expired',
    });
    const taken = await eventually(b, 'cut', 'b');
    const takenAt = systemClock.monotonic();
    expect(lease.isHeld()).toBe(false);
    expect(await heldUntil).toBeLessThanOrEqual(takenAt);
    expect(taken.fence).toBeGreaterThan(lease.fence);
    expect(await lease.lost).toContain('expired');
    await taken.release();
  });

  it('is no sign of life for whoever came after its last renewal', async () => {
    const [dying, living] = await Promise.all([client(url), client(url)]);
    await eventually(dying, 'dead', 'dying');
    const lives = await eventually(living, 'alive', 'living');
    await dying.connection.nats.close();
    const newcomer = await client(url);
    const heard = async (of: string) => (await newcomer.leases.list()).find(({ name }) => name === of)?.heard;
    expect(await heard('dead')).toBe(false);
    await until(() => heard('alive'), { timeoutMs: TTL_MS, what: 'the living one renewed' });
    expect(await heard('dead')).toBe(false);
    await lives.release();
  });

  it('is not held any more by a process that stood still past its time', async () => {
    const lease = await eventually(a, 'stood-still', 'a');
    const subject = { last_by_subj: '$KV.leases.stood-still' };
    const revision = async () => (await b.connection.jsm.streams.getMessage('KV_leases', subject))?.seq;
    const before = await revision();
    const until = systemClock.monotonic() + 1.5 * TTL_MS;
    while (systemClock.monotonic() < until);
    expect(lease.isHeld()).toBe(false);
    expect(await lease.lost).toContain('expired');
    await new Promise((resolve) => setTimeout(resolve, TTL_MS / 6));
    // Not even for the bucket it is renewed: another would have to wait for a ttl more.
    expect(await revision()).toBe(before);
    const again = await eventually(b, 'stood-still', 'b');
    expect(again.fence).toBeGreaterThan(lease.fence);
    await again.release();
  });
});
