import { setTimeout as delay } from 'node:timers/promises';
import { contract } from '@tocsin/contracts';
import { Messaging } from '@tocsin/messaging';
import { atTheEnd, natsServer, until } from '@tocsin/testing';
import { beforeAll, expect, it } from 'vitest';
import { Watermarks } from '../src/watermarks.ts';

let nats: Awaited<ReturnType<typeof natsServer>>;
let writer: Watermarks;
let reader: Watermarks;

async function watermarks(instance: string): Promise<Watermarks> {
  const messaging = await Messaging.connect({
    service: 'scheduler',
    instance,
    servers: [nats.url],
    replicas: 1,
    contract,
  });
  atTheEnd(() => messaging.close());
  return new Watermarks(messaging);
}

beforeAll(async () => {
  nats = await natsServer();
  [writer, reader] = [await watermarks('one'), await watermarks('two')];
  await reader.start();
  atTheEnd(() => reader.stop());
});

it('what was never written is not known', async () => {
  expect(await reader.read(7)).toBeUndefined();
});

it('is read as it stands there, whatever was seen last', async () => {
  for (const dueAt of [1_000, 2_000, 1_500]) {
    await writer.write(1, dueAt);
    expect(await reader.read(1)).toBe(dueAt);
  }
});

it('is the one that was seen last while the bucket does not answer, and soon', async () => {
  await writer.write(2, 3_000);
  // Until it was seen there is nothing but to wait for the bucket.
  expect(await until(async () => (await withoutAnswer(() => reader.read(2))) === 3_000)).toBe(true);
});

/** What comes within a second while the broker is frozen. */
async function withoutAnswer<T>(ask: () => Promise<T>): Promise<T | 'nothing'> {
  await nats.kill('SIGSTOP');
  try {
    return await Promise.race([ask(), delay(1_000, 'nothing' as const)]);
  } finally {
    await nats.kill('SIGCONT');
  }
}
