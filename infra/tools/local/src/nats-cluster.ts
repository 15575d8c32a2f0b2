import { setTimeout as delay } from 'node:timers/promises';
import { type NatsUser, freePort, startNats, takesMessages } from '@tocsin/testing/servers';
import { type Road, straight } from './links.ts';
import type { GuardedNode } from './nats-guard.ts';

export interface NatsClusterOptions {
  user: { name: string; password: string };
  users: readonly NatsUser[];
  /** Where a node keeps its data and its log. */
  places(name: string): { dataDir: string; logFile: string };
  /** The way from one node to another's route port. */
  road?: Road;
}

const natsNodes = ['nats-1', 'nats-2', 'nats-3'] as const;
const READY_MS = 30_000;
/** Nothing listens on it: a node that hears of another's address by gossip must not find a way around its links. */
const NOWHERE = '127.0.0.1:1';

/**
 * Starts three nodes that know each other; resolves when a stream with three copies takes a write.
 * @throws when one can't be started, or no such stream can be made within 30 s
 */
export async function startNatsCluster(o: NatsClusterOptions): Promise<GuardedNode[]> {
  const ports = await Promise.all(
    natsNodes.map(async () => ({ client: await freePort(), route: await freePort(), monitoring: await freePort() })),
  );
  const road = o.road ?? straight;
  const starting = natsNodes.map(async (name, index): Promise<GuardedNode> => {
    const { client, route, monitoring } = ports[index]!;
    const routes = await Promise.all(
      natsNodes.flatMap((other, at) => (at === index ? [] : [road(name, other, ports[at]!.route)])),
    );
    const server = await startNats({
      ...o.places(name),
      port: client,
      user: o.user,
      users: o.users,
      // A frozen peer is dropped after two pings without an answer, a client likewise.
      config: `ping_interval: "1s"\nping_max: 2\nhttp: "127.0.0.1:${monitoring}"`,
      cluster: {
        name: 'tocsin',
        server: name,
        port: route,
        routes,
        // One connection for all: what goes to the same node goes together.
        config: `pool_size: -1, ping_interval: "1s", ping_max: 2, no_advertise: true, advertise: "${NOWHERE}"`,
      },
    });
    return { name, server, monitoring, routes };
  });
  const started = await Promise.allSettled(starting);
  const nodes = started.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  try {
    await Promise.all(starting);
    await agreed(ports[0]!.client, o);
  } catch (error) {
    await Promise.all(nodes.map(({ server }) => server.stop()));
    throw error;
  }
  return nodes;
}

async function agreed(port: number, o: NatsClusterOptions): Promise<void> {
  const deadline = Date.now() + READY_MS;
  for (;;) {
    try {
      return await takesMessages(port, o, natsNodes.length);
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await delay(100);
    }
  }
}
