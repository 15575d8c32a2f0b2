import { systemClock, TocsinError } from '@tocsin/core';
import { natsServer, until } from '@tocsin/testing';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Messaging } from '../src/index.ts';
import { KeyValue } from '../src/client/key-value.ts';
import { client } from './harness.ts';

type Server = Awaited<ReturnType<typeof natsServer>>;

let server: Server;
let tester: Messaging;

beforeEach(async () => {
  server = await natsServer();
  tester = await client(server.url);
});

afterEach(() => {
  vi.restoreAllMocks();
});

const bucketStream = () => tester.connection.jsm.streams;

/** Freezes the server until the bucket fails once: for less than it takes to give the connection up. */
async function failOnce(notes: KeyValue): Promise<void> {
  await server.kill('SIGSTOP');
  // It may answer once more before the signal gets to it.
  await until(() => isAway(notes.get('a')), { what: 'no answer' });
  await server.kill('SIGCONT');
}

const isAway = (asked: Promise<unknown>): Promise<boolean> =>
  asked.then(
    () => false,
    (error: unknown) => error instanceof TocsinError && error.code === 'unavailable',
  );

const deletion = async (notes: KeyValue): Promise<void> => {
  await bucketStream().delete('KV_notes');
  await expect(notes.get('a')).rejects.toMatchObject({ code: 'unavailable' });
};

const refusal = async (notes: KeyValue): Promise<void> => {
  // As another version would have it, or it would be restored.
  await bucketStream().update('KV_notes', { max_msg_size: 10, metadata: { 'tocsin.contract': 'another' } });
  await expect(notes.put('a', 'x'.repeat(100))).rejects.toMatchObject({ status: 400 });
};

const reconnect = async (): Promise<void> => {
  let back = false;
  tester.connection.onReconnect(() => (back = true));
  await tester.connection.nats.reconnect();
  await until(() => back, { what: 'connected again' });
};

describe('a bucket', () => {
  it.each([
    ['it refused something', refusal],
    ['it was missing', deletion],
    ['the connection was made anew', reconnect],
  ])('that fails again long after is no reason for another server, if meanwhile %s', async (_what, meanwhile) => {
    const force = vi.spyOn(tester.connection, 'leaveServer');
    const notes = new KeyValue(tester.connection, 'notes', 300);
    await notes.put('a', 1);
    await failOnce(notes);
    await meanwhile(notes);
    vi.spyOn(systemClock, 'monotonic').mockImplementation(() => performance.now() + 60_000);
    await failOnce(notes);
    expect(force).not.toHaveBeenCalled();
  });

  it('that does not answer is given up in its own time, whatever it is asked', async () => {
    const notes = new KeyValue(tester.connection, 'notes', 300);
    expect(await notes.incarnation()).toBe((await bucketStream().info('KV_notes')).created);
    await server.kill('SIGSTOP');
    let asked = 0;
    const ask = (): Promise<boolean> => {
      asked = performance.now();
      return isAway(notes.incarnation());
    };
    await until(ask, { what: 'no answer' });
    expect(performance.now() - asked).toBeLessThan(1_000);
    await server.kill('SIGCONT');
  });
});
