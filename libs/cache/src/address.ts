import type { RedisOptions } from 'ioredis';
import { TocsinError } from '@tocsin/core';

const SENTINEL = /^redis(s?)\+sentinel:\/\/(?:([^@/]*)@)?([^/?]+)\/([^/?]+)(?:\/(\d{1,2}))?$/;
const DIRECT = /^rediss?:\/\//;
const SENTINEL_PORT = 26_379;

/**
 * Turns a Redis URL into the driver's options.
 * @param url `redis://[user:password@]host:port[/db]`, `rediss://…` for TLS, or
 * `redis+sentinel://[user:password@]host1:port,host2:port/name[/db]` to follow the primary called `name`
 * (`rediss+sentinel://…`: TLS to the sentinels and to it; the same user and password for both)
 * @param ca certificates (PEM) of the authority that signed the servers' own, where it is not a public one
 * @throws TocsinError `invalid`; the message never repeats the URL, which may hold a password
 */
export function parseRedisUrl(url: string, ca?: string): RedisOptions {
  const tls = ca === undefined ? {} : { ca };
  if (DIRECT.test(url)) return direct(url, tls);
  const match = SENTINEL.exec(url);
  if (match === null) throw malformed('expected redis://host:port or redis+sentinel://host:port,host:port/name');
  const [, encrypted, credentials, hosts = '', name = '', db] = match;
  return {
    sentinels: hosts.split(',').map(parseHost),
    name,
    // Sentinels tell of a failover at once; without it a client of a cut-off primary would stay there.
    failoverDetector: true,
    ...(credentials === undefined ? {} : bothFor(credentialsOf(credentials))),
    ...(encrypted ? { tls, sentinelTLS: tls, enableTLSForSentinelMode: true } : {}),
    ...(db === undefined ? {} : { db: Number(db) }),
  };
}

function direct(text: string, tls: { ca?: string }): RedisOptions {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || url.hostname === '') throw malformed('expected redis://host:port');
  const db = /^\/?(\d{0,2})$/.exec(url.pathname)?.[1];
  if (db === undefined) throw malformed('its path must be the number of a database');
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? 6379 : Number(url.port),
    ...(url.protocol === 'rediss:' ? { tls } : {}),
    ...(url.username === '' && url.password === '' ? {} : credentialsOf(`${url.username}:${url.password}`)),
    ...(db === '' ? {} : { db: Number(db) }),
  };
}

/** Sentinels know the same users as the servers that they watch. */
function bothFor({ username, password }: { username?: string; password?: string }): RedisOptions {
  return {
    ...(username === undefined ? {} : { username, sentinelUsername: username }),
    ...(password === undefined ? {} : { password, sentinelPassword: password }),
  };
}

function credentialsOf(text: string): { username?: string; password?: string } {
  const colon = text.indexOf(':');
  const username = decode(colon === -1 ? text : text.slice(0, colon));
  const password = colon === -1 ? '' : decode(text.slice(colon + 1));
  return { ...(username === '' ? {} : { username }), ...(password === '' ? {} : { password }) };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw malformed('a "%" in it is not followed by two hexadecimal digits; write a literal one as %25');
  }
}

function parseHost(text: string): { host: string; port: number } {
  const match = /^(\[[0-9a-fA-F:.]+\]|[^:[\]\s]+)(?::(\d{1,5}))?$/.exec(text);
  const port = Number(match?.[2] ?? SENTINEL_PORT);
  if (match?.[1] === undefined || port < 1 || port > 65_535) throw malformed('one of its sentinels is not host:port');
  return { host: match[1].replace(/^\[|\]$/g, ''), port };
}

function malformed(why: string): TocsinError {
  return new TocsinError('invalid', `The Redis URL is not usable: ${why}.`);
}
