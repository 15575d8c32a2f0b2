import { atTheEnd, until } from '@tocsin/testing';
import { temporaryDir } from '@tocsin/testing/servers';
import { beforeAll, describe, expect, it } from 'vitest';
import { Links } from '../src/links.ts';
import { startNatsCluster } from '../src/nats-cluster.ts';
import { type GuardedNode, NatsGuard } from '../src/nats-guard.ts';
import { Supervisor } from '../src/supervisor.ts';

let links: Links;
let nodes: GuardedNode[];
/** How often each node was not allowed to start. */
const refusals = new Map<string, number>();

beforeAll(async () => {
  links = Links.start();
  const places = (name: string) => {
    const dataDir = temporaryDir(name);
    return { dataDir, logFile: `${dataDir}.log` };
  };
  const user = { name: 'tester', password: 'secret' };
  nodes = await startNatsCluster({ user, users: [], places, road: links.road });
  const kept = nodes.map((node) => {
    const guard = new NatsGuard(node);
    const server = new Supervisor(node.name, node.server, {
      mayStart: async () => {
        const may = await guard.mayStart();
        if (!may) refusals.set(node.name, (refusals.get(node.name) ?? 0) + 1);
        return may;
      },
    });
    return { stop: () => Promise.all([guard.stop(), server.stop()]) };
  });
  atTheEnd(async () => {
    await links.heal({});
    await Promise.all(kept.map((one) => one.stop()));
    await links.stop();
  });
}, 60_000);

/** How many routes to peers its own figures tell of. */
async function peersOf({ monitoring }: GuardedNode): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${monitoring}/routez`, { signal: AbortSignal.timeout(1_000) });
  return ((await response.json()) as { num_routes: number }).num_routes;
}

const hasPeers = (node: GuardedNode) => () =>
  peersOf(node).then(
    (count) => count === 2,
    () => false,
  );

describe('a node of the broker', () => {
  it('that is frozen is ended, and another process takes its place among its peers', async () => {
    const [node] = nodes as [GuardedNode];
    await until(hasPeers(node), { what: 'routes to both peers' });
    const { pid } = node.server;
    await node.server.kill('SIGSTOP');
    await until(() => node.server.pid > 0 && node.server.pid !== pid, { timeoutMs: 30_000, what: 'another process' });
    await expect.poll(hasPeers(node), { timeout: 10_000, message: 'routes to both peers again' }).toBe(true);
  }, 60_000);

  it('that is cut off from its peers is ended, and not started before it can hear them', async () => {
    const node = nodes[1]!;
    await until(hasPeers(node), { what: 'routes to both peers' });
    await links.cut({ host: node.name });
    await until(() => !node.server.alive, { timeoutMs: 15_000, what: 'ended' });
    const before = refusals.get(node.name) ?? 0;
    // Asked again and again, as whoever keeps it running does.
    await until(() => (refusals.get(node.name) ?? 0) >= before + 3, {
      timeoutMs: 10_000,
      what: 'three starts refused',
    });
    expect(node.server.alive).toBe(false);
    await links.heal({ host: node.name });
    await until(hasPeers(node), { timeoutMs: 15_000, what: 'routes to both peers again' });
  }, 60_000);

  it('whose peers are gone is started all the same: they may be waiting for it', async () => {
    const [first, ...others] = nodes as [GuardedNode, ...GuardedNode[]];
    await until(hasPeers(first), { what: 'routes to both peers' });
    const before = first.server.pid;
    for (const { server } of others) server.process?.kill('SIGKILL');
    first.server.process?.kill('SIGKILL');
    await until(() => first.server.pid > 0 && first.server.pid !== before, { timeoutMs: 15_000, what: 'started' });
    for (const node of nodes)
      await expect.poll(hasPeers(node), { timeout: 20_000, message: `${node.name} together again` }).toBe(true);
  }, 80_000);
});
