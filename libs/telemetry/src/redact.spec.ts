import { describe, expect, it } from 'vitest';
import { redact, redactText } from './redact.ts';

describe('redact', () => {
  it.each([
    'password',
    'Authorization',
    'set-cookie',
    'clientSecret',
    'accessToken',
    'api_key',
    'privateKey',
    'key',
    'dsn',
  ])('hides the value under %s at any depth', (key) => {
    expect(JSON.stringify(redact({ a: [{ [key]: 'hunter2' }] }))).not.toContain('hunter2');
  });

  it('leaves names alone that only look like a secret', () => {
    const fields = { idempotencyKey: 'k-1', monitorKey: 'm', keyspace: 3 };
    expect(redact(fields)).toEqual(fields);
  });

  it('hides credentials in addresses and authorization values inside texts', () => {
    expect(redactText('no server at postgres://tocsin:hunter2@db:5432/x')).toBe(
      'no server at postgres://[hidden]@db:5432/x',
    );
    expect(redactText('sent Bearer abcdefghijkl')).toBe('sent Bearer [hidden]');
  });

  it('hides them in an error, its fields and its causes', () => {
    const cause = Object.assign(new Error('nats://a:hunter2@h refused'), { password: 'hunter2' });
    const shown = redact(new Error('failed at redis://:hunter2@h', { cause }));
    expect(JSON.stringify(shown)).not.toContain('hunter2');
    expect(shown).toMatchObject({ type: 'Error', cause: { type: 'Error' } });
  });

  it('bounds depth, length and text, and survives a cycle', () => {
    const cycle: Record<string, unknown> = { text: 'x'.repeat(100_000), list: Array.from({ length: 1_000 }, () => 1) };
    cycle['self'] = cycle;
    expect(JSON.stringify(redact(cycle)).length).toBeLessThan(60_000);
  });
});
