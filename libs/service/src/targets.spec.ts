import { afterEach, describe, expect, it, vi } from 'vitest';
import { environment } from './env.ts';
import type { PlatformConfig } from './platform.config.ts';
import { endpointsOf, hostsOf, targetVariables } from './targets.config.ts';
import { Targets } from './targets.ts';

const dns = vi.hoisted(() => ({ names: new Map<string, string[]>() }));
vi.mock('node:dns/promises', () => ({
  lookup: (name: string) =>
    dns.names.has(name)
      ? Promise.resolve(dns.names.get(name)!.map((address) => ({ address })))
      : Promise.reject(new Error('ENOTFOUND')),
}));

const schema = environment(targetVariables);
const read = (env: Record<string, string>) => schema.safeParse(env);

describe('the lists of targets', () => {
  it('are empty by default', () => {
    expect(read({}).data).toEqual({ deny: [], allow: [], own: [] });
  });

  it.each([
    [
      'TOCSIN_TARGETS_DENY',
      '10.0.0.0/8,10.0.0.300',
      '"10.0.0.300": not an address or a block such as 10.0.0.0/8 or fd00::/8',
    ],
    [
      'TOCSIN_TARGETS_ALLOW',
      '127.0.0.1/8',
      '"127.0.0.1/8": the address goes beyond its first 8 bits, which makes no block',
    ],
    [
      'TOCSIN_TARGETS_OWN',
      'redis:6379,a:b:c',
      '"a:b:c": not a host such as redis:6379, 10.0.0.7:5432 or [fd00::7]:5432',
    ],
    [
      'TOCSIN_TARGETS_OWN',
      'redis:70000',
      '"redis:70000": not a host such as redis:6379, 10.0.0.7:5432 or [fd00::7]:5432',
    ],
  ])('of %s the entry that can not be read is named', (key, text, message) => {
    expect(read({ [key]: text }).error?.issues[0]).toMatchObject({ path: [key], message });
  });

  it('name hosts as they are written everywhere', () => {
    expect(endpointsOf('redis:6379, 10.0.0.7:5432,[fd00::7]:5432,backup,fd00::8,[fd00::9]')).toEqual([
      { host: 'redis', port: 6379 },
      { host: '10.0.0.7', port: 5432 },
      { host: 'fd00::7', port: 5432 },
      { host: 'backup' },
      { host: 'fd00::8' },
      { host: 'fd00::9' },
    ]);
    expect(hostsOf('postgres://u:p%40@db1:1,db2/tocsin?sslmode=require', 5432)).toEqual([
      { host: 'db1', port: 1 },
      { host: 'db2', port: 5432 },
    ]);
    expect(hostsOf('rediss+sentinel://:pw@[::1]:2,s2/mymaster/0', 26379)).toEqual([
      { host: '::1', port: 2 },
      { host: 's2', port: 26379 },
    ]);
    expect(hostsOf('nats://10.0.0.1', 4222)).toEqual([{ host: '10.0.0.1', port: 4222 }]);
  });
});

describe('the targets of a service', () => {
  const started: Targets[] = [];
  afterEach(() => {
    for (const each of started.splice(0)) each.onApplicationShutdown();
    vi.useRealTimers();
  });

  async function targets(env: Record<string, string>, platform: Partial<PlatformConfig> = {}): Promise<Targets> {
    const config = { natsUrls: ['nats://127.0.0.1:4222'], ...platform, targets: read(env).data! };
    const made = new Targets(config as PlatformConfig & { targets: NonNullable<ReturnType<typeof read>['data']> });
    started.push(made);
    await made.onModuleInit();
    return made;
  }

  it("are never the servers of this process's own environment, and not their passwords", async () => {
    dns.names.set('db.internal', ['10.0.0.5', '10.0.0.6']);
    const guard = await targets(
      { TOCSIN_TARGETS_ALLOW: '127.0.0.0/8' },
      { databaseUrl: 'postgres://u:p@db.internal/tocsin', redisUrl: 'redis://:pw@10.0.0.7' },
    );
    for (const [address, port] of [
      ['127.0.0.1', 4222],
      ['10.0.0.5', 5432],
      ['10.0.0.6', 5432],
      ['10.0.0.7', 6379],
    ] as const) {
      expect(guard.refusal(address, port)).toEqual({ by: 'TOCSIN_TARGETS_OWN', entry: "one of Tocsin's own servers" });
    }
    expect(guard.refusal('127.0.0.1', 80)).toBeUndefined();
    expect(guard.refusal('10.0.0.5', 443)).toBeUndefined();
  });

  it('are never the servers that the operator names', async () => {
    dns.names.set('redis.internal', ['10.0.1.1']);
    const guard = await targets({ TOCSIN_TARGETS_OWN: 'redis.internal:6379,10.0.1.2' });
    expect(guard.refusal('10.0.1.1', 6379)?.by).toBe('TOCSIN_TARGETS_OWN');
    expect(guard.refusal('10.0.1.2', 22)?.by).toBe('TOCSIN_TARGETS_OWN');
  });

  it('follow a server that moves, and keep one whose name does not resolve for a while', async () => {
    vi.useFakeTimers();
    dns.names.set('db.internal', ['10.0.0.5']);
    const guard = await targets({}, { databaseUrl: 'postgres://db.internal/tocsin' });
    dns.names.delete('db.internal');
    await vi.advanceTimersByTimeAsync(15_000);
    expect(guard.refusal('10.0.0.5', 5432)?.by).toBe('TOCSIN_TARGETS_OWN');
    dns.names.set('db.internal', ['10.0.0.9']);
    await vi.advanceTimersByTimeAsync(15_000);
    expect(guard.refusal('10.0.0.9', 5432)?.by).toBe('TOCSIN_TARGETS_OWN');
    expect(guard.refusal('10.0.0.5', 5432)).toBeUndefined();
  });
});
