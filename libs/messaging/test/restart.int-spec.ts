import { Controller } from '@nestjs/common';
import { natsServer, until } from '@tocsin/testing';
import { describe, expect, it } from 'vitest';
import { Consumes, OutboxRelay, type OutboxRow } from '../src/index.ts';
import { client, instance, type Job, jobs } from './harness.ts';

const seen: number[] = [];

@Controller()
class Jobs {
  @Consumes(jobs, { concurrency: 16 })
  handle(job: Job): void {
    seen.push(job.n);
  }
}

describe('when the broker is killed and started again', () => {
  it('no publish is lost or stored twice, and consumers go on by themselves', async () => {
    const server = await natsServer();
    const tester = await client(server.url);
    const worker = await instance(server.url, Jobs);
    let n = 0;
    let stop = false;
    const published: Promise<unknown>[] = [];
    const publishing = (async () => {
      while (!stop) {
        const job = n++;
        published.push(tester.publish(`jobs.${job}`, { n: job }, { id: `job-${job}` }));
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
    })();
    await until(() => seen.length > 50, { what: 'some work done before' });
    await server.kill('SIGKILL');
    await new Promise((resolve) => setTimeout(resolve, 500));
    await server.restart();
    const before = seen.length;
    await until(() => seen.length > before + 100, { timeoutMs: 15_000, what: 'work done after' });
    stop = true;
    await publishing;
    await Promise.all(published);
    await until(() => new Set(seen).size === n, { timeoutMs: 10_000, what: 'every job seen' });
    // An ack that was lost with the connection brings a second delivery, but the stream stores nothing twice.
    expect((await tester.connection.jsm.streams.info('JOBS')).state.last_seq).toBe(n);
    await worker.close();
  }, 40_000);

  it('a connection that looks open but acknowledges nothing is dropped and opened again', async () => {
    const server = await natsServer();
    const tester = await client(server.url);
    await server.kill('SIGSTOP');
    const published = tester.publish('news.frozen', 1, { id: 'frozen' });
    // The client's own pings would notice only after 10 s and more.
    await until(() => !tester.status().connected, { timeoutMs: 6_000, what: 'the connection dropped' });
    await server.kill('SIGCONT');
    expect(await published).toMatchObject({ stream: 'NEWS', sequence: 1 });
    await until(() => tester.status().connected, { what: 'connected again' });
  }, 30_000);

  it('the outbox relay publishes every committed row, once', async () => {
    const server = await natsServer();
    const tester = await client(server.url);
    const rows = new Map<string, OutboxRow>();
    const source = {
      take: async (limit: number) => [...rows.values()].slice(0, limit),
      done: async (ids: string[]) => ids.forEach((id) => rows.delete(id)),
    };
    const relay = new OutboxRelay(tester, source, { pollMs: 50, batch: 7 });
    relay.start();
    for (let n = 0; n < 50; n++)
      rows.set(`r${n}`, { id: `r${n}`, subject: 'news.outbox', payload: { n }, headers: { 'X-Row': String(n) } });
    relay.nudge();
    await until(() => rows.size === 0, { what: 'the outbox empty' });
    await server.kill('SIGKILL');
    for (let n = 50; n < 60; n++)
      rows.set(`r${n}`, { id: `r${n}`, subject: 'news.outbox', payload: { n }, headers: {} });
    relay.nudge();
    await server.restart();
    await until(() => rows.size === 0, { timeoutMs: 15_000, what: 'the outbox empty again' });
    await relay.stop();
    expect((await tester.connection.jsm.streams.info('NEWS')).state.messages).toBe(60);
    const first = await tester.connection.jsm.streams.getMessage('NEWS', { seq: 1 });
    expect(first?.header.get('X-Row')).toBe('0');
  }, 40_000);
});
