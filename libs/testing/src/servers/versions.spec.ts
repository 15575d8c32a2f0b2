import { describe, expect, it } from 'vitest';
import { floors, isAtLeast, parseVersion } from './versions.ts';

describe('versions of servers', () => {
  it.each([
    ['nats-server', 'nats-server: v2.15.1', '2.15.1'],
    ['redis-server', 'Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64 build=d5d1', '7.0.15'],
    ['postgres', 'postgres (PostgreSQL) 15.12 (Debian 15.12-0+deb12u2)', '15.12'],
    ['postgres', 'postgres (PostgreSQL) 18.4', '18.4'],
  ] as const)('of %s is read from %j', (server, printed, version) => {
    expect(parseVersion(server, printed)).toBe(version);
  });

  it('is unknown when the program printed something else', () => {
    expect(parseVersion('postgres', 'command not found')).toBeUndefined();
  });

  it.each([
    ['2.11', true],
    ['2.11.0', true],
    ['2.15.1', true],
    ['3.0', true],
    ['2.9.10', false],
    ['2.10.27', false],
    ['1.99', false],
  ])('%s is from the floor of nats-server up: %s', (version, expected) => {
    expect(isAtLeast(version, floors['nats-server'])).toBe(expected);
  });
});
