import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Cache } from '@tocsin/cache';
import { cacheUsers } from '@tocsin/contracts';
import { atTheEnd, until } from '@tocsin/testing';
import { RunningServer, findOrFetchServers, freePort, serverEnv, talk, temporaryDir } from '@tocsin/testing/servers';
import { beforeAll, describe, expect, it } from 'vitest';
import { built } from '../src/manifests.ts';
import { newSecrets } from '../src/secrets.ts';

const manifests = built(join(import.meta.dirname, '../servers'));
const configs = manifests.flatMap((one) => ('data' in one ? Object.entries(one.data as Record<string, string>) : []));
const secrets = new Map(newSecrets().map(({ metadata, stringData }) => [metadata.name, stringData]));
const held = secrets.get('redis') ?? {};
const operator = held['password']!;
const ports = { redis: 0, sentinel: 0 };

beforeAll(async () => {
  const common = `bind 127.0.0.1\nrequirepass ${operator}\nmasterauth ${operator}\nprotected-mode yes`;
  // What the operator's images write before they include the additional configuration.
  ports.redis = await run('redis', (dir) => `${common}\naclfile ${fileIn(dir, 'user.acl')}`, []);
  const watch = [`monitor tocsin 127.0.0.1 ${ports.redis} 1`, `auth-pass tocsin ${operator}`];
  ports.sentinel = await run('sentinel', () => `${common}\n${watch.map((line) => `sentinel ${line}`).join('\n')}`, [
    '--sentinel',
  ]);
});

/** Starts a server the way its pod does: the operator's lines, then our ConfigMap, beside our files. */
async function run(name: keyof typeof ports, lines: (dir: string) => string, args: string[]): Promise<number> {
  const [{ redis: command }, port, dir] = [await findOrFetchServers(), await freePort(), temporaryDir(name)];
  const additional = additionalOf(name).replace(/^(aclfile) .*\/(.+)$/m, (_, word: string, key: string) => {
    return `${word} ${fileIn(dir, key)}`;
  });
  writeFileSync(join(dir, 'additional.conf'), additional);
  const config = join(dir, `${name}.conf`);
  writeFileSync(config, `port ${port}\ndir ${dir}\n${lines(dir)}\ninclude ${join(dir, 'additional.conf')}\n`);
  const server = new RunningServer({
    name,
    url: `redis://127.0.0.1:${port}`,
    port,
    command,
    args: [config, ...args],
    env: serverEnv(command),
    stopSignal: 'SIGTERM',
    logFile: join(dir, 'log'),
    // As the pod's readiness probe asks.
    ready: async () => {
      expect(await talk(port, `AUTH ${operator}\r\nPING\r\n`, /\r\n.*\r\n|-/)).toBe('+OK\r\n+PONG\r\n');
    },
  });
  atTheEnd(() => server.stop());
  await server.start();
  return port;
}

/** A file of the Secret, where it is mounted. */
function fileIn(dir: string, key: string): string {
  writeFileSync(join(dir, key), held[key] ?? '');
  return join(dir, key);
}

function additionalOf(name: keyof typeof ports): string {
  const wanted = { redis: 'redis-additional.conf', sentinel: 'redis-sentinel-additional.conf' }[name];
  return configs.find(([file]) => file === wanted)?.[1] ?? '';
}

/** The address that a sub-service is given, with the one Sentinel that runs here in place of the three. */
function urlOf(service: string): string {
  const url = secrets.get(service)?.['TOCSIN_REDIS_URL'] ?? '';
  return url.replace(/@[^/]+\//, `@127.0.0.1:${ports.sentinel}/`);
}

/** What a server answers to one command of a sub-service. */
async function answer(server: keyof typeof ports, service: string, command: string): Promise<string> {
  const [, user, password] = /\/\/([^:]*):([^@]*)@/.exec(urlOf(service))!;
  const said = await talk(ports[server], `AUTH ${user} ${password}\r\n${command}\r\n`, /\r\n.*\r\n|-/);
  return said.replace('+OK\r\n', '').trim();
}

describe.each(cacheUsers)('%s on Kubernetes', (service) => {
  it('keeps its cache in the Redis that the Sentinel names', async () => {
    // As small as this, it remembers nothing by itself.
    const cache = new Cache({ url: urlOf(service), namespace: service, maxItems: 1 });
    atTheEnd(() => cache.close());
    const isKept = async (): Promise<boolean> => {
      let loads = 0;
      const o = { ttlMs: 60_000, staleMs: 60_000 };
      await cache.get('a', () => Promise.resolve((loads += 1)), o);
      await cache.get('b', () => Promise.resolve(1), o);
      return loads === 0;
    };
    await until(isKept, { what: 'kept in Redis', timeoutMs: 20_000 });
    expect(await cache.ping()).toMatchObject({ role: 'primary' });
  });

  it('touches no key and hears no channel of another', async () => {
    for (const other of [...cacheUsers.filter((one) => one !== service), 'x']) {
      for (const command of [
        'GET tocsin:%:k:a',
        'SET tocsin:%:k:a 1',
        'SUBSCRIBE tocsin:%:news',
        'PUBLISH tocsin:%:news x',
      ]) {
        expect(await answer('redis', service, command.replace('%', other))).toMatch(/^-NOPERM/);
      }
    }
  });

  it.each(['ACL LIST', 'CONFIG GET requirepass', 'REPLICAOF NO ONE', 'KEYS *', 'FLUSHALL'])(
    'may not ask Redis for %s',
    async (command) => expect(await answer('redis', service, command)).toMatch(/^-NOPERM/),
  );

  // Whoever may publish that news names a primary of his own, to which Sentinels show the operator's password.
  it.each([
    'SENTINEL FAILOVER tocsin',
    'SENTINEL SET tocsin quorum 9',
    'ACL LIST',
    'PUBLISH __sentinel__:hello 127.0.0.1,1,x,1,tocsin,127.0.0.1,1,9',
  ])('may not ask a Sentinel for %s', async (command) => {
    expect(await answer('sentinel', service, command)).toMatch(/^-NOPERM/);
  });
});

describe.each(['redis', 'sentinel'] as const)('%s', (server) => {
  it('lets nobody in without a name and a password', async () => {
    expect(await talk(ports[server], 'PING\r\n', /\r\n/)).toMatch(/^-NOAUTH/);
  });

  it("takes no sub-service's password for the operator's user", async () => {
    for (const service of cacheUsers) {
      const password = /:([^:@]+)@/.exec(urlOf(service))![1];
      expect(await talk(ports[server], `AUTH ${password}\r\n`, /\r\n/)).toMatch(/^-WRONGPASS/);
    }
  });

  it('lets the operator do its work', async () => {
    const work =
      server === 'redis' ? 'CONFIG SET maxmemory-samples 5' : 'SENTINEL SET tocsin down-after-milliseconds 1000';
    expect(await talk(ports[server], `AUTH ${operator}\r\n${work}\r\n`, /\r\n.*\r\n|-/)).toBe('+OK\r\n+OK\r\n');
  });
});
