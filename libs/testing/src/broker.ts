import { JetStreamApiError, jetstreamManager, type JetStreamManager, type PeerInfo } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';

/** How to log in at the broker, and where. */
export interface BrokerLogin {
  urls: readonly string[];
  user: string;
  password: string;
}

const CONNECT_MS = 1_000;
const ASK_MS = 2_000;
const NOT_FOUND = 404;
const MOST_LAG = 500;
/** A leader hears from its copies each second. */
const SILENT_NS = 3_000_000_000;

/** The name of the node that leads a stream, as the cluster says it. @throws while nobody leads it, or nobody answers */
export async function streamLeader(login: BrokerLogin, stream: string): Promise<string> {
  const { cluster } = await asking(login, (manager) => manager.streams.info(stream));
  if (!cluster?.leader) throw new Error(`${stream} has no leader at the moment.`);
  return cluster.leader;
}

/** How many messages wait in these work queues. @throws while nobody leads one of them, or nobody answers */
export async function messagesIn(login: BrokerLogin, ...streams: string[]): Promise<number> {
  return await asking(login, async (manager) => {
    const infos = await Promise.all(streams.map((stream) => manager.streams.info(stream)));
    return infos.reduce((sum, { state }) => sum + state.messages, 0);
  });
}

/** Whether every stream has a leader, and every copy of it is there and follows closely. Never throws. */
export async function streamsAreWhole(login: BrokerLogin): Promise<boolean> {
  try {
    return await asking(login, async (manager) => {
      for await (const { cluster } of manager.streams.list()) {
        if (cluster !== undefined && !cluster.leader) return false;
        if (!(cluster?.replicas ?? []).every(follows)) return false;
      }
      return true;
    });
  } catch {
    return false;
  }
}

/** Under load a copy is always a few messages behind. */
function follows({ current, offline, lag, active }: PeerInfo): boolean {
  return offline !== true && active < SILENT_NS && (current || (lag ?? Infinity) <= MOST_LAG);
}

/** Deletes a stream with all that is in it, as an operator's mistake would; one that is not there is fine. */
export async function deleteStream(login: BrokerLogin, stream: string): Promise<void> {
  await asking(login, async (manager) => {
    try {
      await manager.streams.delete(stream);
    } catch (error) {
      if (!(error instanceof JetStreamApiError && error.status === NOT_FOUND)) throw error;
    }
  });
}

/** A connection for one question, so that a node that died meanwhile spoils no other. */
async function asking<T>(login: BrokerLogin, ask: (manager: JetStreamManager) => Promise<T>): Promise<T> {
  const { urls, user, password } = login;
  const connection = await connect({ servers: [...urls], user, pass: password, timeout: CONNECT_MS, reconnect: false });
  try {
    return await ask(await jetstreamManager(connection, { timeout: ASK_MS, checkAPI: false }));
  } finally {
    await connection.close();
  }
}
