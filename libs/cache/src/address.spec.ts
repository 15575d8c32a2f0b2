import { expect, it } from 'vitest';
import { parseRedisUrl } from './address.ts';

it('reads a plain URL with credentials and database', () => {
  expect(parseRedisUrl('redis://u%40x:p%3Aw@h:7000/3')).toEqual({
    host: 'h',
    port: 7000,
    username: 'u@x',
    password: 'p:w',
    db: 3,
  });
});

it('takes the default port', () => {
  expect(parseRedisUrl('redis://localhost')).toEqual({ host: 'localhost', port: 6379 });
});

it('asks for TLS with rediss', () => {
  expect(parseRedisUrl('rediss://h:1')).toMatchObject({ tls: {} });
});

it('reads sentinels and the name of the primary', () => {
  expect(parseRedisUrl('redis+sentinel://:secret@h1:1,h2,[::1]:3/main/2')).toEqual({
    sentinels: [
      { host: 'h1', port: 1 },
      { host: 'h2', port: 26_379 },
      { host: '::1', port: 3 },
    ],
    name: 'main',
    failoverDetector: true,
    password: 'secret',
    sentinelPassword: 'secret',
    db: 2,
  });
});

it('asks sentinels and servers for TLS with rediss+sentinel, and believes the given authority alone', () => {
  const tls = { ca: 'PEM' };
  expect(parseRedisUrl('rediss+sentinel://u:p@h/main', 'PEM')).toMatchObject({
    tls,
    sentinelTLS: tls,
    enableTLSForSentinelMode: true,
    sentinelUsername: 'u',
    username: 'u',
  });
  expect(parseRedisUrl('rediss://h:1', 'PEM')).toMatchObject({ tls });
});

it.each([
  ['nothing', ''],
  ['another scheme', 'http://h:1'],
  ['no host', 'redis://'],
  ['a path that is no database', 'redis://h/abc'],
  ['a sentinel without a name', 'redis+sentinel://h:1'],
  ['a port that is none', 'redis+sentinel://h:99999/main'],
  ['a broken escape', 'redis+sentinel://%zz@h:1/main'],
])('refuses %s, without repeating it', (_what, url) => {
  expect(() => parseRedisUrl(url)).toThrow(/^The Redis URL is not usable: /);
});
