import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { MANUAL_ATTEMPT } from '@tocsin/contracts';
import { sealSecret } from '@tocsin/core';
import { natsServer, until } from '@tocsin/testing';
import { beforeAll, describe, expect, test } from 'vitest';
import { Desk, Site } from './desk.ts';
import { ProberProcess } from './prober.process.ts';

const secret = randomBytes(32);
let env: Record<string, string>;
let desk: Desk;

function environment(instance: string): Record<string, string> {
  return { ...env, TOCSIN_INSTANCE: instance };
}

beforeAll(async () => {
  const nats = await natsServer();
  env = {
    TOCSIN_NATS_URLS: nats.url,
    TOCSIN_LOCATION: 'lab',
    TOCSIN_SECRET: secret.toString('base64'),
  };
  desk = await Desk.open(nats.url);
});

/** 3 s are promised, and judged by the drill; here other tests take the processor meanwhile. */
const SOON_MS = 5_000;

describe('one prober', () => {
  let prober: ProberProcess;
  beforeAll(async () => {
    prober = await ProberProcess.start(environment('prober-one'));
  });

  test('a task is answered by one result, and is gone', async () => {
    const site = await Site.open((_, response) => response.end('fine'));
    const task = await desk.ask(site.settings());
    const [result] = await until(async () => {
      const results = await desk.results(task);
      return results.length > 0 && results;
    });
    expect(result).toMatchObject({
      monitorId: task.monitorId,
      window: 1,
      location: 'lab',
      attempt: 0,
      outcome: 'ran',
      prober: 'prober-one',
      finding: { verdict: 'up', reason: 'ok', statusCode: 200 },
    });
    expect(result!.startedAt).toBeGreaterThanOrEqual(task.dueAt);
    await until(async () => (await desk.tasksLeft()) === 0, { what: 'the task to be gone' });
    expect(site.hits).toHaveLength(1);
  });

  test("a monitor of Tocsin's own broker is refused, though its address is allowed", async () => {
    const site = await Site.open((_, response) => response.end('fine'));
    const task = await desk.ask({ ...site.settings(), url: env['TOCSIN_NATS_URLS']!.replace('nats:', 'http:') });
    const results = await until(async () => (await desk.results(task)).length > 0 && desk.results(task));
    expect(results[0]!.finding).toMatchObject({ verdict: 'down', reason: 'target' });
    expect(results[0]!.finding!.message).toMatch(/is refused by TOCSIN_TARGETS_OWN: one of Tocsin's own servers$/);
  });

  test('a check that ran out of time while the prober itself stood still is run again', async () => {
    const site = await Site.open((_, response) => setTimeout(() => response.end('fine'), 300));
    const task = await desk.ask(site.settings(), { timeoutMs: 1_000 });
    await until(() => site.hits.length > 0);
    process.kill(prober.pid, 'SIGSTOP');
    // As long as it takes for the check's time to be over, and the answer to have come.
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    process.kill(prober.pid, 'SIGCONT');
    const results = await until(async () => (await desk.results(task)).length > 0 && desk.results(task));
    expect(results[0]).toMatchObject({ finding: { verdict: 'up' } });
    expect(site.hits.length).toBeGreaterThan(1);
  });

  test('a task whose window has ended is answered as missed and not run', async () => {
    const site = await Site.open((_, response) => response.end('fine'));
    const task = await desk.ask(site.settings(), { expiresAt: Date.now() - 1 });
    const results = await until(async () => (await desk.results(task)).length > 0 && desk.results(task));
    expect(results).toHaveLength(1);
    expect(results[0]).toMatchObject({ outcome: 'missed' });
    expect(results[0]).not.toHaveProperty('finding');
    expect(site.hits).toHaveLength(0);
  });

  test('a check of a kind that it does not know is left to others; when its window ends it is missed, and says why', async () => {
    const target = { kind: 'icmp', settings: { host: 'a.example' } };
    const task = await desk.ask({} as never, { target, expiresAt: Date.now() + 700 });
    const results = await until(async () => (await desk.results(task)).length > 0 && desk.results(task));
    const message = 'no prober of lab that was asked can run this check of kind icmp: upgrade them';
    expect(results).toMatchObject([{ outcome: 'missed', because: { reason: 'unsupported', message } }]);
    expect(results[0]).not.toHaveProperty('finding');
    expect(await desk.messaging.deadLetters.list({ limit: 1 })).toEqual([]);
    const metrics = await (await fetch(`http://127.0.0.1:${prober.port}/metrics`)).text();
    expect(metrics).toMatch(/tocsin_checks_handed_back_total\{[^}]*reason="unsupported"/);
  });

  test('a check that starts more than half an interval after it was due is late', async () => {
    const site = await Site.open((_, response) => response.end('fine'));
    const dueAt = Date.now() - 600;
    const task = await desk.ask(site.settings(), { dueAt, intervalMs: 1000, expiresAt: dueAt + 20_000 });
    const results = await until(async () => (await desk.results(task)).length > 0 && desk.results(task));
    expect(results[0]).toMatchObject({ outcome: 'late', finding: { verdict: 'up' } });
  });

  test('a confirmation that nobody else can take is run all the same', async () => {
    const site = await Site.open((_, response) => response.writeHead(503).end());
    const task = await desk.ask(site.settings(), { attempt: 1, avoid: ['prober-one'] });
    const results = await until(async () => (await desk.results(task)).length > 0 && desk.results(task));
    expect(results[0]).toMatchObject({
      attempt: 1,
      prober: 'prober-one',
      finding: { verdict: 'down', reason: 'status', message: 'status 503, expected 200-299' },
    });
  });

  test('a secret reaches the target and stays out of results, logs and metrics', async () => {
    const seen: (string | undefined)[] = [];
    const site = await Site.open((request, response) => {
      seen.push(request.headers.authorization);
      response.writeHead(401, { 'x-session-key': 'k-9a81' }).end('no');
    });
    const settings = site.settings(
      {
        auth: { type: 'bearer', token: sealSecret([secret], 'tok-s3cr3t') },
        headers: { 'X-Api-Key': sealSecret([secret], 'hdr-s3cr3t') },
        assertions: [{ type: 'header', name: 'x-session-key', op: 'equals', value: 'other' }],
        acceptedStatus: ['401'],
      },
      '/?token=qry-s3cr3t',
    );
    const task = await desk.ask(settings, { attempt: MANUAL_ATTEMPT });
    const results = await until(async () => (await desk.results(task)).length > 0 && desk.results(task));
    expect(seen).toEqual(['Bearer tok-s3cr3t']);
    expect(results[0]!.finding).toMatchObject({ reason: 'assertion' });
    const metrics = await (await fetch(`http://127.0.0.1:${prober.port}/metrics`)).text();
    expect(metrics).toContain('tocsin_checks_total');
    for (const text of [JSON.stringify(results), prober.logs, metrics]) {
      expect(text).not.toMatch(/s3cr3t|k-9a81/);
    }
  });

  test('a secret sealed with another key is told, and the prober goes on', async () => {
    const site = await Site.open((_, response) => response.end());
    const settings = site.settings({ auth: { type: 'bearer', token: sealSecret([randomBytes(32)], 'x') } });
    const task = await desk.ask(settings);
    const results = await until(async () => (await desk.results(task)).length > 0 && desk.results(task));
    expect(results[0]!.finding).toMatchObject({ verdict: 'down', reason: 'settings' });
    expect(site.hits).toHaveLength(0);
  });

  test.runIf(existsSync('/proc/self/task'))('many names are resolved at the same time', async () => {
    const site = await Site.open((_, response) => response.end());
    const settings = site.settings();
    const task = await desk.ask({ ...settings, url: settings.url.replace('127.0.0.1', 'localhost'), ipFamily: '4' });
    const results = await until(async () => (await desk.results(task)).length > 0 && desk.results(task));
    expect(results[0]!.finding).toMatchObject({ verdict: 'up', timings: { dnsMs: expect.any(Number) as number } });
    expect(readdirSync(`/proc/${prober.pid}/task`).length).toBeGreaterThanOrEqual(32);
  });

  test('a poison task becomes a dead letter and holds up nothing', async () => {
    await desk.messaging.publish('checks.lab.poison', { not: 'a task' }, { id: 'poison-1' });
    const site = await Site.open((_, response) => response.end());
    const task = await desk.ask(site.settings());
    await until(async () => (await desk.results(task)).length === 1);
    const letters = await until(async () => {
      const page = await desk.messaging.deadLetters.list({ limit: 10 });
      return page.length > 0 && page;
    });
    expect(JSON.stringify(letters)).toContain('checks.lab.poison');
  });

  test('stops in order', async () => {
    expect(await prober.stop()).toBe(0);
  });
});

/** A task that outlasts the start of another prober, on a busy machine too. */
const patient = () => ({ timeoutMs: 60_000, intervalMs: 120_000, expiresAt: Date.now() + 120_000 });

describe('two probers', { timeout: 60_000 }, () => {
  test('share the tasks, and each task is run once', async () => {
    await Promise.all([
      ProberProcess.during({ ...environment('share-one'), TOCSIN_CONCURRENCY: '4' }),
      ProberProcess.during({ ...environment('share-two'), TOCSIN_CONCURRENCY: '4' }),
    ]);
    const site = await Site.open((_, response) => void setTimeout(() => response.end('fine'), 20));
    const tasks = await Promise.all(Array.from({ length: 60 }, () => desk.ask(site.settings())));
    const results = await until(async () => {
      const all = (await Promise.all(tasks.map((task) => desk.results(task)))).flat();
      return all.length >= tasks.length && all;
    });
    expect(results).toHaveLength(tasks.length);
    expect(new Set(results.map((result) => result.prober))).toEqual(new Set(['share-one', 'share-two']));
    expect(site.hits).toHaveLength(tasks.length);
  });

  test('a confirmation goes to the prober that did not find the failure', async () => {
    await Promise.all([ProberProcess.during(environment('found-it')), ProberProcess.during(environment('confirms'))]);
    const site = await Site.open((_, response) => response.writeHead(500).end());
    const tasks = await Promise.all(
      Array.from({ length: 10 }, () => desk.ask(site.settings(), { attempt: 1, avoid: ['found-it'] })),
    );
    const by = await Promise.all(
      tasks.map(async (task) => {
        const [result] = await until(async () => (await desk.results(task)).length > 0 && desk.results(task));
        return result!.prober;
      }),
    );
    // Which prober a delivery goes to is the broker's choice; after ten the finder confirms it itself.
    expect(by.filter((prober) => prober === 'confirms').length).toBeGreaterThanOrEqual(9);
  });

  test('what a killed prober was checking is answered by the other soon', async () => {
    const dying = await ProberProcess.during(environment('dying'));
    const site = await Site.open((_, response) => {
      if (site.hits.length > 1) response.end('fine'); // the first check hangs until its prober is gone
    });
    const task = await desk.ask(site.settings(), patient());
    await until(() => site.hits.length === 1);
    await ProberProcess.during(environment('living'));
    const killedAt = Date.now();
    dying.kill();
    const results = await until(async () => (await desk.results(task)).length > 0 && desk.results(task));
    expect(Date.now() - killedAt).toBeLessThan(SOON_MS);
    expect(results).toHaveLength(1);
    expect(results[0]).toMatchObject({ prober: 'living', finding: { verdict: 'up' } });
    expect(site.hits).toHaveLength(2);
  });

  test('what a frozen prober was checking is answered by the other soon, and no second time when it wakes up', async () => {
    const frozen = await ProberProcess.during(environment('frozen'));
    const { promise: thawed, resolve: thaw } = Promise.withResolvers<void>();
    // As many that none is given to the frozen one a second time by luck alone.
    const many = 8;
    const site = await Site.open((_, response) => {
      void (site.hits.length > many ? Promise.resolve() : thawed).then(() => response.end('fine'));
    });
    const tasks = await Promise.all(Array.from({ length: many }, () => desk.ask(site.settings(), patient())));
    const answers = async () => (await Promise.all(tasks.map((task) => desk.results(task)))).flat();
    await until(() => site.hits.length === many);
    await ProberProcess.during(environment('awake'));
    const frozenAt = Date.now();
    process.kill(frozen.pid, 'SIGSTOP');
    const results = await until(async () => (await answers()).length === many && answers());
    expect(Date.now() - frozenAt).toBeLessThan(SOON_MS);
    expect(results.map(({ prober, finding }) => `${prober} ${finding?.verdict}`)).toEqual(Array(many).fill('awake up'));
    process.kill(frozen.pid, 'SIGCONT');
    thaw();
    // It works again, and what it answers late is dropped by the stream.
    const later = await Promise.all(Array.from({ length: 10 }, () => desk.ask(site.settings())));
    await until(async () =>
      (await Promise.all(later.map((one) => desk.results(one)))).every((all) => all.length === 1),
    );
    await until(async () => (await desk.tasksLeft()) === 0, { what: 'every task to be gone' });
    expect(await answers()).toHaveLength(many);
  });

  test('a stopping prober hands its running check back at once', async () => {
    const stopping = await ProberProcess.during(environment('stopping'));
    const site = await Site.open((_, response) => {
      if (site.hits.length > 1) response.end('fine');
    });
    const task = await desk.ask(site.settings(), patient());
    await until(() => site.hits.length === 1);
    await ProberProcess.during(environment('staying'));
    const stoppedAt = Date.now();
    const code = stopping.stop();
    const results = await until(async () => (await desk.results(task)).length > 0 && desk.results(task));
    expect(Date.now() - stoppedAt).toBeLessThan(1_500);
    expect(results[0]).toMatchObject({ prober: 'staying', finding: { verdict: 'up' } });
    expect(await code).toBe(0);
  });
});

test('a prober without file descriptors blames itself and not the target', async () => {
  const prober = await ProberProcess.during(environment('short-of-files'), 60);
  let slow = true;
  const site = await Site.open((_, response) => {
    setTimeout(() => response.end('fine'), slow ? 1_500 : 0);
  });
  const tasks = await Promise.all(Array.from({ length: 120 }, () => desk.ask(site.settings())));
  await until(() => prober.logs.includes('out of resources'), { what: 'the prober to run out of file descriptors' });
  slow = false;
  const results = await until(async () => {
    const all = (await Promise.all(tasks.map((task) => desk.results(task)))).flat();
    return all.length >= tasks.length && all;
  });
  expect(results.filter((result) => result.finding?.verdict !== 'up')).toEqual([]);
});

test('a wrong setting refuses the start and says which and why', async () => {
  const prober = ProberProcess.spawn({ ...env, TOCSIN_LOCATION: 'Not A Location', TOCSIN_CONCURRENCY: '0' });
  expect(await prober.exit()).toBe(78);
  expect(prober.logs).toContain('TOCSIN_LOCATION');
  expect(prober.logs).toContain('TOCSIN_CONCURRENCY');
});
