import { natsServer, until } from '@tocsin/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Followed, FollowFrom, Messaging } from '../src/index.ts';
import { client } from './harness.ts';

let server: Awaited<ReturnType<typeof natsServer>>;
let tester: Messaging;

beforeAll(async () => {
  server = await natsServer();
  tester = await client(server.url);
});

const say = (topic: string, n: number) =>
  tester.publish(`news.${topic}`, { n }, { id: `${topic}-${n}-${Math.random()}` });
const numbers = (heard: Followed[]) => heard.map(({ data }) => (data as { n: number }).n);

async function follow(topic: string, from: FollowFrom) {
  const heard: Followed[] = [];
  const follow = await tester.follow({ stream: 'NEWS', filters: [`news.${topic}`], from }, (message) =>
    heard.push(message),
  );
  return { heard, follow };
}

describe('following', () => {
  it('from the beginning sees all in order, says when it caught up, and goes on', async () => {
    for (let n = 0; n < 20; n++) await say('all', n);
    const { heard, follow: one } = await follow('all', 'all');
    await one.caughtUp;
    expect(numbers(heard)).toEqual(Array.from({ length: 20 }, (_, n) => n));
    await say('all', 20);
    await until(() => heard.length === 21, { what: 'the new one' });
    expect(heard[20]).toMatchObject({
      subject: 'news.all',
      headers: { 'Nats-Msg-Id': expect.stringContaining('all-20') },
    });
    expect(Math.abs(heard[20]!.publishedAt - Date.now())).toBeLessThan(10_000);
    await one.stop();
    await say('all', 21);
    expect(heard).toHaveLength(21);
  });

  it('from now on sees nothing older, and every one of two followers sees the same', async () => {
    await say('new', 1);
    const [a, b] = await Promise.all([follow('new', 'new'), follow('new', 'new')]);
    await Promise.all([a.follow.caughtUp, b.follow.caughtUp]);
    await say('new', 2);
    await until(() => a.heard.length === 1 && b.heard.length === 1, { what: 'both hear it' });
    expect(numbers(a.heard)).toEqual([2]);
    await Promise.all([a.follow.stop(), b.follow.stop()]);
  });

  it('from the last of each subject sees one per subject', async () => {
    for (const topic of ['last.x', 'last.y']) for (const n of [1, 2, 3]) await say(topic, n);
    const { heard, follow: one } = await follow('last.*', 'last-per-subject');
    await one.caughtUp;
    expect(numbers(heard)).toEqual([3, 3]);
    await one.stop();
  });

  it('from a sequence begins there', async () => {
    const { sequence } = await say('seq', 1);
    await say('seq', 2);
    const { heard, follow: one } = await follow('seq', sequence + 1);
    await one.caughtUp;
    expect(numbers(heard)).toEqual([2]);
    await one.stop();
  });

  it('of an empty subject has caught up at once', async () => {
    const { heard, follow: one } = await follow('nothing', 'all');
    await one.caughtUp;
    expect(heard).toEqual([]);
    await one.stop();
  });

  it('goes on after the broker was killed and started again, without a gap or a double', async () => {
    for (const from of ['all', 'new'] as const) {
      const topic = `restart-${from}`;
      const { heard, follow: one } = await follow(topic, from);
      for (let n = 0; n < 5; n++) await say(topic, n);
      await server.kill('SIGKILL');
      await server.restart();
      for (let n = 5; n < 10; n++) await say(topic, n);
      await until(() => heard.length >= 10, { timeoutMs: 15_000, what: 'all ten' });
      expect(numbers(heard)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
      await one.stop();
    }
  }, 40_000);
});
