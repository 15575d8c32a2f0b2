import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ConfigError, readConfig } from './config.ts';
import { secretKeys } from './platform.config.ts';

let folder: string;
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'tocsin-config-'))));
afterAll(() => rmSync(folder, { recursive: true }));

function fileWith(text: string): string {
  const path = join(folder, `f${Math.random().toString(36).slice(2)}`);
  writeFileSync(path, text);
  return path;
}

const own = z.object({ TOCSIN_SIZE: z.coerce.number().default(3) }).transform((env) => ({ size: env.TOCSIN_SIZE }));

function problemsOf(env: NodeJS.ProcessEnv, needs = {}): string[] {
  try {
    readConfig(own, needs, env);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(({ key, message }) => `${key} ${message}`);
  }
}

describe('readConfig', () => {
  it('gives defaults for what is not set, and takes an empty value for not set', () => {
    const config = readConfig(own, {}, { TOCSIN_SIZE: '', TOCSIN_HTTP_PORT: '' });
    expect(config).toMatchObject({ size: 3, httpHost: '127.0.0.1', httpPort: 0, replicas: 1, shutdownMs: 10_000 });
  });

  it('reads X from the file that X_FILE names, without the line end', () => {
    const key = Buffer.alloc(32, 7).toString('base64');
    const config = readConfig(own, {}, { TOCSIN_SECRET_FILE: fileWith(`${key}\n`), TOCSIN_SIZE_FILE: fileWith('9') });
    expect(config.size).toBe(9);
    expect(config.secret).toEqual([Buffer.alloc(32, 7)]);
  });

  it('takes several keys, up to three, each of its size', () => {
    const keys = [1, 2, 3].map((byte) => Buffer.alloc(32, byte));
    const text = (more: string[] = []): string => [...keys.map((key) => key.toString('base64')), ...more].join(', ');
    expect(readConfig(own, {}, { TOCSIN_SECRET: text() }).secret).toEqual(keys);
    expect(problemsOf({ TOCSIN_SECRET: text([keys[0]!.toString('base64')]) })).toHaveLength(1);
    for (const wrong of [`${keys[0]!.toString('base64')},`, `${keys[0]!.toString('base64')},short`]) {
      expect(problemsOf({ TOCSIN_SECRET: wrong })[0]).toMatch(/^TOCSIN_SECRET must be 32 bytes in base64/);
    }
  });

  it('takes several hosts in one address', () => {
    const config = readConfig(
      own,
      {},
      {
        TOCSIN_NATS_URLS: 'nats://a:1, nats://b:2',
        TOCSIN_DATABASE_URL: 'postgres://u:p@h1:1,h2:2/db',
        TOCSIN_REDIS_URL: 'redis+sentinel://h1:26379,h2:26379/tocsin',
      },
    );
    expect(config.natsUrls).toEqual(['nats://a:1', 'nats://b:2']);
    expect(config.databaseUrl).toBe('postgres://u:p@h1:1,h2:2/db');
  });

  it.each([
    [{ TOCSIN_HTTP_PORT: '70000' }, /^TOCSIN_HTTP_PORT /],
    [{ TOCSIN_HTTP_PORT: '80 ' }, /^TOCSIN_HTTP_PORT must be a whole number/],
    [{ TOCSIN_NATS_URLS: ',' }, /^TOCSIN_NATS_URLS /],
    [{ TOCSIN_NATS_URLS: 'nats://a, http://b' }, /^TOCSIN_NATS_URLS 1: must be an address that begins with nats:/],
    [{ TOCSIN_REPLICAS: '0' }, /^TOCSIN_REPLICAS must be 1 or 3/],
    [{ TOCSIN_SECRET: 'short' }, /^TOCSIN_SECRET must be 32 bytes in base64/],
    [{ TOCSIN_SHUTDOWN_MS: '1e4' }, /^TOCSIN_SHUTDOWN_MS must be a whole number/],
    [{ TOCSIN_INSTANCE: 'a b' }, /^TOCSIN_INSTANCE must be letters/],
    [{ TOCSIN_SIZE: 'many' }, /^TOCSIN_SIZE /],
  ])('refuses %o', (env, expected) => {
    const problems = problemsOf(env);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(expected);
  });

  it('says what is missing for what the service uses', () => {
    expect(problemsOf({}, { database: true, cache: true })).toEqual([
      'TOCSIN_DATABASE_URL is missing; it looks like postgres://…',
      'TOCSIN_REDIS_URL is missing; it looks like redis://…',
    ]);
  });

  it('refuses an empty file and a file that is not there', () => {
    expect(problemsOf({ TOCSIN_SIZE_FILE: fileWith('\n') })).toEqual(['TOCSIN_SIZE_FILE names an empty file']);
    expect(problemsOf({ TOCSIN_SIZE_FILE: join(folder, 'none') })[0]).toMatch(/can't be read \(ENOENT\)/);
  });

  it('lets a service require the secret', () => {
    const schema = z.object({ TOCSIN_SECRET: secretKeys });
    expect(() => readConfig(schema, {}, {})).toThrow(/TOCSIN_SECRET: is missing/);
  });
});
