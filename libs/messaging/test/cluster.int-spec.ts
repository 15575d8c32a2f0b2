import { Controller } from '@nestjs/common';
import { EventPattern, Payload } from '@nestjs/microservices';
import { freePort } from '@tocsin/local';
import { natsServer, until } from '@tocsin/testing';
import { describe, expect, it } from 'vitest';
import { client, instance, type Job } from './harness.ts';

const NODES = ['n1', 'n2', 'n3'];
const seen: { n: number; at: number }[] = [];

@Controller()
class Jobs {
  @EventPattern<string>('jobs', { concurrency: 16 })
  handle(@Payload() job: Job): void {
    seen.push({ n: job.n, at: performance.now() });
  }
}

async function cluster() {
  const routes = await Promise.all(NODES.map(() => freePort()));
  return Promise.all(
    NODES.map((server, i) => natsServer({ cluster: { name: 'test', server, port: routes[i]!, routes } })),
  );
}

describe('in a cluster of three', () => {
  it('every publish is stored once and done, though the leader of the stream is killed', async () => {
    const nodes = await cluster();
    const servers = nodes.map(({ url }) => url);
    const tester = await client(servers[0]!, { servers, replicas: 3 });
    const worker = await instance(servers[1]!, Jobs, { servers, replicas: 3 });
    const { jsm } = tester.connection;
    let n = 0;
    let stop = false;
    const published: Promise<unknown>[] = [];
    const publishing = (async () => {
      while (!stop) {
        const job = n++;
        published.push(tester.publish(`jobs.${job}`, { n: job }, { id: `job-${job}` }));
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    })();
    await until(() => seen.length > 50, { timeoutMs: 20_000, what: 'work done before' });
    const leader = (await jsm.streams.info('JOBS')).cluster?.leader;
    await nodes[NODES.indexOf(leader!)]!.kill('SIGKILL');
    const killedAt = performance.now();
    const killedAtJob = n;
    await until(() => seen.some((job) => job.n > killedAtJob), { timeoutMs: 20_000, what: 'work done after' });
    const gap = performance.now() - killedAt;
    stop = true;
    await publishing;
    await Promise.all(published);
    await until(() => new Set(seen.map((job) => job.n)).size === n, { timeoutMs: 10_000, what: 'every job seen' });
    expect((await jsm.streams.info('JOBS')).state.last_seq).toBe(n);
    expect(gap).toBeLessThan(15_000);
    await worker.close();
  }, 90_000);
});
