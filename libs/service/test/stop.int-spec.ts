import { natsServer, until } from '@tocsin/testing';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { toyContract } from './toy/src/toy.contract.ts';
import { buildToy, connectTester, endToys, ToyProcess } from './toy.process.ts';

const closers: (() => Promise<void>)[] = [];
beforeAll(buildToy);
afterEach(async () => {
  await endToys();
  for (const close of closers.splice(0)) await close();
});

async function readyToy(env: Record<string, string> = {}) {
  const nats = await natsServer();
  const toy = new ToyProcess({ TOCSIN_NATS_URLS: nats.url, ...env });
  await toy.untilStatus(200);
  const messaging = await connectTester(nats.url);
  closers.push(() => messaging.close());
  return { nats, toy, messaging };
}

describe('SIGTERM', () => {
  it('turns readiness off, finishes what was begun, runs the phases in order, releases leases and exits with 0', async () => {
    const { toy, messaging } = await readyToy({ TOCSIN_DRAIN_GRACE_MS: '500' });
    expect(await messaging.leases.list()).toMatchObject([{ name: 'toy' }]);
    await messaging.publish('toy.work.a', { id: 'a', ms: 1_200 }, { id: 'a' });
    await toy.untilLogged('work begun');
    toy.signal('SIGTERM');
    expect(await toy.untilStatus(503)).toMatchObject({ reason: 'stopping' });
    expect(await toy.ended).toBe(0);
    expect(toy.lines.flatMap((line) => (line['msg'] === 'stop phase' ? [line['phase']] : []))).toEqual([
      'stop-taking',
      'finish',
      'release',
    ]);
    const messages = toy.messages();
    expect(messages.indexOf('work done')).toBeGreaterThan(messages.indexOf('stopping'));
    expect(messages.indexOf('work done')).toBeLessThan(messages.lastIndexOf('stop phase'));
    expect(messages.at(-1)).toBe('stopped');
    expect(await messaging.leases.list()).toEqual([]);
  });

  it('is bounded: work that never ends is left behind', async () => {
    const { toy } = await readyToy({ TOY_STUCK: '1', TOCSIN_SHUTDOWN_MS: '700' });
    const before = performance.now();
    toy.signal('SIGTERM');
    expect(await toy.ended).toBe(1);
    expect(performance.now() - before).toBeLessThan(2_500);
    expect(toy.messages().at(-1)).toMatch(/took longer than TOCSIN_SHUTDOWN_MS/);
  });

  it('exits at once when it comes twice', async () => {
    const { toy } = await readyToy({ TOY_STUCK: '1' });
    toy.signal('SIGTERM');
    await toy.untilLogged('stopping');
    toy.signal('SIGINT');
    expect(await toy.ended).toBe(1);
    expect(toy.messages().at(-1)).toMatch(/told to stop twice/);
  });

  it('stops a service that is still waiting for its servers', async () => {
    const toy = new ToyProcess({ TOCSIN_NATS_URLS: 'nats://127.0.0.1:9' });
    await toy.untilStatus(503);
    toy.signal('SIGTERM');
    expect(await toy.ended).toBe(0);
  });

  it('stops a service whose broker has gone', async () => {
    const { toy, nats } = await readyToy({ TOCSIN_SHUTDOWN_MS: '5000' });
    await nats.stop();
    await toy.untilStatus(503);
    const before = performance.now();
    toy.signal('SIGTERM');
    expect(await toy.ended).toBe(0);
    expect(performance.now() - before).toBeLessThan(3_000);
  });
});

describe('a defect', () => {
  it('is logged and ends the process, to be started again clean', async () => {
    const nats = await natsServer();
    const toy = new ToyProcess({ TOCSIN_NATS_URLS: nats.url, TOY_REJECT: '1' });
    expect(await toy.ended).toBe(1);
    expect(toy.lines.at(-1)).toMatchObject({
      level: 'fatal',
      msg: 'unhandled rejection',
      err: { message: 'toy defect' },
    });
  });
});

describe('messages', () => {
  it('every instance answers the ping with its health', async () => {
    const { toy, nats, messaging } = await readyToy({ TOCSIN_INSTANCE: 'toy-1' });
    const other = new ToyProcess({ TOCSIN_NATS_URLS: nats.url, TOCSIN_INSTANCE: 'toy-2' });
    await other.untilStatus(200);
    const pongs = await until(
      async () => {
        const answers = await messaging.gather(toyContract.requests.systemPing, {}, { windowMs: 300 });
        return answers.length === 2 && answers;
      },
      { what: 'both instances to answer' },
    );
    expect(pongs.map((pong) => pong.instance).toSorted((a, b) => a.localeCompare(b))).toEqual(['toy-1', 'toy-2']);
    expect(pongs.find((pong) => pong.instance === 'toy-1')).toMatchObject({
      service: 'toy',
      ready: true,
      pid: toy.pid,
      health: { nats: { ok: true } },
    });
  });

  it('a refusal of a handler reaches the asker as it was thrown', async () => {
    const { messaging } = await readyToy();
    expect(await messaging.request(toyContract.requests.toyAsk, { fail: false })).toEqual({ answer: 3 });
    await expect(messaging.request(toyContract.requests.toyAsk, { fail: true })).rejects.toMatchObject({
      code: 'not_found',
      message: 'There is no such thing.',
    });
  });
});
