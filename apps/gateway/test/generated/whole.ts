import { randomBytes } from 'node:crypto';
import { Database } from '@tocsin/database';
import { atTheEnd, natsServer, postgres, redisServer, type ServiceProcess, startService } from '@tocsin/testing';

/** The gateway and all that it asks, on real servers. Nothing is probed: there is no scheduler and no prober. */
export interface Whole {
  url: string;
  token: string;
  /** What changes leave behind: equal before and after what was refused. */
  record(): Promise<unknown>;
  /** How many changes were carried out. */
  changes(): Promise<number>;
  gateway: ServiceProcess;
}

/** What people's changes are written to; what Tocsin does by itself meanwhile is left out. */
const RECORD = [
  'monitors.monitors',
  'monitors.channels',
  'monitors.tokens',
  'monitors.tombstones',
  'monitors.counters',
  "incidents.timeline t WHERE what IN ('acknowledged', 'note')",
  "notifier.notifications t WHERE kind = 'test'",
];
const OWNERS = ['monitors', 'incidents', 'notifier'];

export async function startWhole(): Promise<Whole> {
  const [nats, redis, database] = await Promise.all([natsServer(), redisServer(), postgres()]);
  const token = 'tsn_first-token-of-generated-requests';
  const of = (role: Parameters<typeof database.urlFor>[0]) => ({ TOCSIN_DATABASE_URL: database.urlFor(role) });
  const env = {
    TOCSIN_NATS_URLS: nats.url,
    TOCSIN_REDIS_URL: redis.url,
    TOCSIN_SECRET: randomBytes(32).toString('base64'),
    TOCSIN_LOG_LEVEL: 'warn',
    TOCSIN_TARGETS_ALLOW: '127.0.0.0/8,::1',
  };
  await Promise.all([
    startService('monitors', { ...env, ...of('monitors'), TOCSIN_BOOTSTRAP_TOKEN: token }),
    startService('incidents', { ...env, ...of('incidents') }),
    startService('notifier', { ...env, ...of('notifier') }),
  ]);
  // Who waits long enough is answered, however busy the machine is.
  const limits = {
    TOCSIN_RATE_PER_SECOND: '1000000',
    TOCSIN_RATE_BURST: '1000000',
    TOCSIN_ANSWER_MS: '30000',
    TOCSIN_OPEN_RATE_BURST: '1000000',
    TOCSIN_UNKNOWN_RATE_BURST: '1000000',
  };
  const [gateway] = await Promise.all([
    startService('gateway', { ...env, ...limits }),
    startService('status', { ...env, ...of('status') }),
  ]);
  const db = new Database({ url: database.superuserUrl, schema: 'public', applicationName: 'test' });
  atTheEnd(() => db.close());
  const digest = async (part: string): Promise<[string, string]> => {
    const from = part.includes(' ') ? part : `${part} t`;
    const sql = `SELECT md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), '')) AS digest FROM ${from}`;
    const [row] = await db.query<{ digest: string }>(sql, []);
    return [part, row!.digest];
  };
  return {
    url: gateway.url,
    token,
    gateway,
    record: async () => Object.fromEntries(await Promise.all(RECORD.map(digest))),
    changes: async () => {
      const parts = OWNERS.map((schema) => `SELECT 1 FROM ${schema}.changes WHERE code IS NULL`);
      const [row] = await db.query<{ n: number }>(
        `SELECT count(*)::int AS n FROM (${parts.join(' UNION ALL ')}) c`,
        [],
      );
      return row!.n;
    },
  };
}
