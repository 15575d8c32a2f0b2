import { natsServer, until } from '@tocsin/testing';
import { freePort } from '@tocsin/testing/servers';
import { describe, expect, it } from 'vitest';
import { client, losses } from './harness.ts';

describe('a connection', () => {
  it('to a frozen server is given up though nothing waits for it, and comes back by itself', async () => {
    const server = await natsServer();
    const tester = await client(server.url);
    await until(() => tester.status().rttMs !== undefined, { what: 'a round trip measured' });
    await server.kill('SIGSTOP');
    // The client's own pings take minutes.
    await until(() => !tester.status().connected, { timeoutMs: 5_000, what: 'not connected' });
    await server.kill('SIGCONT');
    await until(() => tester.status().connected, { timeoutMs: 8_000, what: 'connected again' });
    expect(await tester.publish('news.x', 1, { id: 'after' })).toMatchObject({ sequence: 1 });
  }, 30_000);

  it('is not given up because this process stood still', async () => {
    const tester = await client((await natsServer()).url);
    const lost = losses(tester);
    const { nats } = tester.connection;
    const flush = nats.flush.bind(nats);
    let stoodStill = 0;
    // The worst moment: a ping has just left, and its answer lies unread in the socket all the while.
    nats.flush = () => {
      const answered = flush();
      const until = performance.now() + 2_500;
      while (stoodStill < 2 && performance.now() < until);
      stoodStill++;
      return answered;
    };
    await until(() => stoodStill >= 4, { what: 'two more pings' });
    expect(lost.count).toBe(0);
  }, 20_000);

  it('goes to a listed server that was away when the process started', async () => {
    const port = await freePort();
    const first = await natsServer();
    const tester = await client('', { servers: [`127.0.0.1:${port}`, `127.0.0.1:${first.port}`] });
    await first.kill('SIGKILL');
    const late = await natsServer({ port });
    await until(() => tester.status().connected, { timeoutMs: 10_000, what: 'connected to the other' });
    expect(tester.status().server).toContain(String(late.port));
  }, 30_000);

  it('to the one server there is is kept when only the work stalls', async () => {
    const tester = await client((await natsServer()).url);
    const lost = losses(tester);
    await expect(tester.publish('nowhere.x', 1, { id: 'x', timeoutMs: 4_000 })).rejects.toMatchObject({
      code: 'unavailable',
    });
    expect(lost.count).toBe(0);
  }, 20_000);
});
