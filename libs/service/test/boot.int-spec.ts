import { natsServer, postgres, redisServer, until } from '@tocsin/testing';
import { freePort, startNats, temporaryDir } from '@tocsin/testing/servers';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { toyContract } from './toy/src/toy.contract.ts';
import { buildToy, connectTester, endToys, ToyProcess } from './toy.process.ts';

beforeAll(buildToy);
afterEach(endToys);

describe('a service', () => {
  it('is ready when the servers it needs are there, and says what it depends on', async () => {
    const [nats, redis, database] = await Promise.all([natsServer(), redisServer(), postgres()]);
    const toy = new ToyProcess({
      TOCSIN_NATS_URLS: nats.url,
      TOCSIN_REDIS_URL: redis.url,
      TOCSIN_DATABASE_URL: database.urlFor('monitors'),
      TOCSIN_INSTANCE: 'toy-1',
    });
    const ready = await toy.untilStatus(200);
    expect(ready).toMatchObject({
      status: 'ready',
      service: 'toy',
      instance: 'toy-1',
      dependencies: {
        nats: { ok: true, required: true },
        postgres: { ok: true, required: true, role: 'primary', latencyMs: expect.any(Number) as number },
        redis: { ok: true, required: false },
        spare: { ok: false, required: false, error: 'no spare' },
      },
    });
    expect(await toy.untilLogged('ready')).toMatchObject({ port: expect.any(Number) as number });
    expect((await toy.get('/health/live')).body).toEqual({ status: 'live' });
    expect(await toy.untilLogged('injected')).toMatchObject({ size: 3, now: true, cache: true });
    expect(await fetch(`${await toy.url()}/metrics`).then((r) => r.text())).toContain('process_resident_memory_bytes');
    const nowhere = await toy.get('/visits');
    expect([nowhere.status, nowhere.body['code']]).toEqual([404, 'not_found']);
    const messaging = await connectTester(nats.url);
    await messaging.request(toyContract.requests.toyVisit, { id: 'v1' });
    await messaging.close();
    expect(await toy.untilLogged('work done')).toMatchObject({ id: 'v1' });
  });

  it('is ready without Redis, which makes it quick and not right', async () => {
    const nats = await natsServer();
    const toy = new ToyProcess({
      TOCSIN_NATS_URLS: nats.url,
      TOCSIN_REDIS_URL: `redis://127.0.0.1:${await freePort()}`,
    });
    expect(await toy.untilStatus(200)).toMatchObject({ dependencies: { redis: { ok: false, required: false } } });
  });

  it('answers health before any server is there, waits, and becomes ready when they come', async () => {
    const port = await freePort();
    const toy = new ToyProcess({ TOCSIN_NATS_URLS: `nats://127.0.0.1:${port}` });
    expect(await toy.untilStatus(503)).toMatchObject({ status: 'not_ready', reason: 'waiting for nats' });
    expect((await toy.get('/health/live')).status).toBe(200);
    const early = await toy.get('/config');
    expect(early.status).toBe(503);
    expect(early.headers.get('retry-after')).toBe('1');
    const nats = await startNats({ port, dataDir: temporaryDir('nats') });
    try {
      expect(await toy.untilStatus(200)).toMatchObject({ status: 'ready' });
    } finally {
      await nats.stop();
    }
  });

  it('waits for a database that is away', async () => {
    const nats = await natsServer();
    const toy = new ToyProcess({
      TOCSIN_NATS_URLS: nats.url,
      TOCSIN_DATABASE_URL: `postgres://monitors:hunter2@127.0.0.1:${await freePort()}/tocsin`,
    });
    await toy.untilLogged('waiting for PostgreSQL');
    const waiting = { dependencies: { nats: { ok: true }, postgres: { ok: false } } };
    await until(async () => {
      expect(await toy.untilStatus(503)).toMatchObject(waiting);
      return true;
    });
    toy.signal('SIGTERM');
    expect(await toy.ended).toBe(0);
    expect(toy.output).not.toContain('hunter2');
  });

  it('is not ready while NATS is stopped, and ready again when it is back', async () => {
    const nats = await natsServer();
    const toy = new ToyProcess({ TOCSIN_NATS_URLS: nats.url });
    await toy.untilStatus(200);
    await nats.stop();
    expect(await toy.untilStatus(503)).toMatchObject({ reason: 'waiting for nats' });
    await nats.start();
    expect(await toy.untilStatus(200)).toMatchObject({ status: 'ready' });
  });

  it('rests below 120 MB', async () => {
    const [nats, redis, database] = await Promise.all([natsServer(), redisServer(), postgres()]);
    const toy = new ToyProcess({
      TOCSIN_NATS_URLS: nats.url,
      TOCSIN_REDIS_URL: redis.url,
      TOCSIN_DATABASE_URL: database.urlFor('monitors'),
    });
    await toy.untilStatus(200);
    const text = await fetch(`${await toy.url()}/metrics`).then((response) => response.text());
    const bytes = Number(/^process_resident_memory_bytes (\S+)/m.exec(text)?.[1]);
    expect(bytes / 1e6).toBeLessThan(120);
  });
});
