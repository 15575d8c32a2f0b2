import { describe, expect, it } from 'vitest';
import { notifierConfig } from './notifier.config.ts';

const TOCSIN_SECRET = Buffer.alloc(32, 7).toString('base64');
const parse = (env: Record<string, string>) => notifierConfig.safeParse({ TOCSIN_SECRET, ...env });

describe("the dead man's switch", () => {
  it('is off without an address, and called every minute where nothing else is said', () => {
    expect(parse({}).data?.deadman).toBeUndefined();
    expect(parse({ TOCSIN_DEADMAN_URL: 'https://example.org/key' }).data?.deadman).toEqual({
      url: 'https://example.org/key',
      everyMs: 60_000,
    });
  });

  it.each([
    [{ TOCSIN_DEADMAN_URL: 'ftp://example.org/k3y' }, /must be an http/],
    [{ TOCSIN_DEADMAN_URL: 'https://me:k3y@example.org' }, /without a user name/],
    [{ TOCSIN_DEADMAN_URL: 'k3y' }, /must be an http/],
    [{ TOCSIN_DEADMAN_EVERY: '9s' }, /at least 10s/],
    [{ TOCSIN_DEADMAN_EVERY: 'often' }, /a time such as/],
  ])('%o is refused, without repeating it', (env, expected) => {
    const { error } = parse(env);
    expect(error?.issues[0]?.message).toMatch(expected);
    expect(error?.message).not.toContain('k3y');
  });
});
