import { cacheRulesOf, cacheUsers } from '@tocsin/contracts';
import { type RunningRedis, redisUrlOf, startRedis, talk, temporaryDir } from '@tocsin/testing/servers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

let server: RunningRedis;
const users = cacheUsers.map((name) => ({ name, password: `${name}-password`, rules: cacheRulesOf(name) }));

beforeAll(async () => {
  server = await startRedis({ dataDir: temporaryDir('redis'), password: 'operator-password', users });
});
afterAll(() => server.stop());

/** What Redis answers to one command of a user. */
async function answer(user: string, command: string): Promise<string> {
  const said = await talk(server.port, `AUTH ${user} ${user}-password\r\n${command}\r\n`, /\r\n.*\r\n|-/);
  return said.replace('+OK\r\n', '').trim();
}

describe('a sub-service at the cache', () => {
  it.each(cacheUsers)('%s reads and writes what is its own, and nothing else', async (name) => {
    expect(await answer(name, `SET tocsin:${name}:k:a 1 PX 1000`)).toBe('+OK');
    expect(await answer(name, `PUBLISH tocsin:${name}:news x`)).toBe(':0');
    for (const other of [...cacheUsers.filter((one) => one !== name), 'x']) {
      expect(await answer(name, `SET tocsin:${other}:k:a 1`)).toMatch(/^-NOPERM/);
      expect(await answer(name, `EVAL "return redis.call('GET', KEYS[1])" 1 tocsin:${other}:k:a`)).toMatch(
        /^-(NOPERM|ERR)/,
      );
      expect(await answer(name, `PUBLISH tocsin:${other}:news x`)).toMatch(/^-NOPERM/);
      expect(await answer(name, `SUBSCRIBE tocsin:${other}:news`)).toMatch(/^-NOPERM/);
    }
  });

  it.each([
    'KEYS *',
    'FLUSHALL',
    'CONFIG GET requirepass',
    'ACL LIST',
    'MONITOR',
    'REPLICAOF NO ONE',
    'SHUTDOWN',
    'SCAN 0',
  ])('may not ask for %s', async (command) => {
    expect(await answer('gateway', command)).toMatch(/^-NOPERM/);
  });

  it('does not come in without a name, and has an address with it', async () => {
    expect(await talk(server.port, 'GET a\r\n', /\r\n/)).toMatch(/^-NOAUTH/);
    expect(redisUrlOf(server, users[0]!)).toBe(`redis://gateway:gateway-password@127.0.0.1:${server.port}`);
  });
});
