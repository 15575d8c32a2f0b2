import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { atTheEnd, natsServer, until } from '@tocsin/testing';
import { describe, expect, it } from 'vitest';
import type { Messaging } from '../src/index.ts';
import { client } from './harness.ts';

const TTL_MS = 1_500;
const HOLDER = fileURLToPath(new URL('lease-holder.ts', import.meta.url));

const take = (by: Messaging, name: string, holder: string) => by.leases.acquire(name, { holder, ttlMs: TTL_MS });
const eventually = (by: Messaging, name: string, holder: string) =>
  until(() => take(by, name, holder), { timeoutMs: 10_000, what: `${holder} holds ${name}` });

function holderProcess(url: string, name: string): { child: ChildProcess; lines: string[] } {
  const lines: string[] = [];
  const args = ['--import', '@oxc-node/core/register', HOLDER, url, name, String(TTL_MS)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  createInterface({ input: child.stdout! }).on('line', (line) => lines.push(line));
  atTheEnd(() => void child.kill('SIGKILL'));
  return { child, lines };
}

describe('a lease whose holder is frozen', () => {
  it('is taken by another, and the holder does nothing under it when it wakes, with an older fence', async () => {
    const { url } = await natsServer();
    const b = await client(url);
    const { child, lines } = holderProcess(url, 'frozen');
    await until(() => lines.some((line) => line.startsWith('act')), { what: 'the process acts' });
    child.kill('SIGSTOP');
    const taken = await eventually(b, 'frozen', 'b');
    const before = lines.length;
    child.kill('SIGCONT');
    await until(() => lines.some((line) => line.startsWith('lost')), { what: 'the process knows' });
    // Frozen between asking and acting it may act once: the fence that it hands over is the older one.
    const acts = lines.slice(before).filter((line) => line.startsWith('act'));
    expect(acts.length).toBeLessThanOrEqual(1);
    expect(lines.find((line) => line.startsWith('lost'))).toContain('expired');
    const fences = lines.filter((line) => line.startsWith('act')).map((line) => Number(line.slice(4)));
    expect(Math.max(...fences)).toBeLessThan(taken.fence);
    expect(taken.isHeld()).toBe(true);
  }, 30_000);
});

describe('a lease whose bucket is deleted', () => {
  it('stays with its holder, under the same fence, and the next fence is larger', async () => {
    const { url } = await natsServer();
    const [a, b] = await Promise.all([client(url), client(url)]);
    const lease = await eventually(a, 'kept', 'a');
    expect(await take(b, 'kept', 'b')).toBeUndefined();
    await a.connection.jsm.streams.delete('KV_leases');
    const stands = async () => (await a.connection.jsm.streams.info('KV_leases')).state.messages === 1;
    await until(
      async () => {
        expect(await take(b, 'kept', 'b').catch(() => undefined)).toBeUndefined();
        return stands();
      },
      { timeoutMs: 8_000, what: 'the lease written to the new bucket' },
    );
    const later = performance.now() + 2 * TTL_MS;
    await until(() => performance.now() > later, { what: 'two more ttls' });
    expect(lease.isHeld()).toBe(true);
    expect(await take(b, 'kept', 'b')).toBeUndefined();
    await lease.release();
    expect((await eventually(b, 'kept', 'b')).fence).toBeGreaterThan(lease.fence);
  }, 30_000);

  it('goes to another a ttl after the bucket exists anew when its holder is gone, with a larger fence', async () => {
    const { url } = await natsServer();
    const [a, b] = await Promise.all([client(url), client(url)]);
    // Longer than it takes until the bucket stands again.
    const ttlMs = 4_000;
    // Revisions of the bucket before are larger than the first ones of the new one.
    for (let n = 0; n < 20; n++) await (await eventually(b, 'other', 'b')).release();
    const lease = await until(() => a.leases.acquire('gone', { holder: 'a', ttlMs }), { what: 'held' });
    const takeIt = () => b.leases.acquire('gone', { holder: 'b', ttlMs }).catch(() => undefined);
    expect(await takeIt()).toBeUndefined();
    await a.connection.nats.close();
    await b.connection.jsm.streams.delete('KV_leases');
    const taken = await until(takeIt, { timeoutMs: 12_000, what: 'taken' });
    expect(lease.isHeld()).toBe(false);
    expect(taken.fence).toBeGreaterThan(lease.fence);
    expect(taken.isHeld()).toBe(true);
  }, 30_000);
});

describe('a lease whose renewal is lost with the broker that had it', () => {
  it('is kept, because it is tried again before the ttl is over', async () => {
    const ttlMs = 6_000;
    const server = await natsServer();
    const a = await client(server.url);
    const lease = await until(() => a.leases.acquire('kept', { holder: 'a', ttlMs }), { what: 'held' });
    await server.kill('SIGSTOP');
    // Long enough for a renewal to be on its way, every third of the ttl.
    const on = performance.now() + ttlMs / 3;
    await until(() => performance.now() > on, { what: 'a renewal on its way' });
    await server.kill('SIGKILL');
    await server.restart();
    const end = performance.now() + ttlMs;
    await until(() => performance.now() > end, { what: 'a ttl of peace' });
    expect(lease.isHeld()).toBe(true);
  }, 30_000);
});

describe('whether leases can be written', () => {
  it('is learned from the broker, soon, while what is known of them is told from memory', async () => {
    const server = await natsServer();
    const a = await client(server.url);
    const lease = await eventually(a, 'known', 'a');
    await a.leases.checkWritable();
    expect((await a.leases.list()).map(({ name }) => name)).toEqual(['known']);
    await server.kill('SIGSTOP');
    const before = performance.now();
    await expect(a.leases.checkWritable()).rejects.toMatchObject({ code: 'unavailable' });
    expect(performance.now() - before).toBeLessThan(TTL_MS);
    expect((await a.leases.list()).map(({ name }) => name)).toEqual(['known']);
    await server.kill('SIGCONT');
    await until(
      () =>
        a.leases.checkWritable().then(
          () => true,
          () => false,
        ),
      { what: 'an answer' },
    );
    await lease.release();
  }, 30_000);
});
