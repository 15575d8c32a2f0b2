import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { deadlineOf, idempotencyKey, requestHash } from './idempotency.ts';
import { canonical } from './json.ts';

const secret = Buffer.alloc(32, 1);
const hash = (body: unknown, path = '/v1/monitors', method = 'POST') =>
  requestHash([secret], { method, path, body: canonical(body) });

describe('the Idempotency-Key', () => {
  it('is 1 to 255 visible characters', () => {
    expect(idempotencyKey({})).toBeUndefined();
    expect(idempotencyKey({ 'idempotency-key': 'order-7' })).toBe('order-7');
    expect(idempotencyKey({ 'idempotency-key': 'x'.repeat(255) })).toHaveLength(255);
    for (const bad of ['', ' ', 'a b', 'x'.repeat(256), 'ä', ['a', 'b']]) {
      expect(() => idempotencyKey({ 'idempotency-key': bad })).toThrow(expect.objectContaining({ code: 'invalid' }));
    }
  });

  it('the order of members does not make another request; anything else does', () => {
    expect(hash({ a: 1, b: [1, 2] })).toBe(hash({ b: [1, 2], a: 1 }));
    const one = hash({ a: 1 });
    expect([
      hash({ a: 2 }),
      hash({ a: '1' }),
      hash({ a: 1 }, '/v1/channels'),
      hash({ a: 1 }, undefined, 'PUT'),
    ]).not.toContain(one);
  });

  it('a revision that it insists on makes another request; without one it is as it always was', () => {
    const of = (ifRevision?: number) =>
      requestHash([secret], { method: 'PUT', path: '/v1/monitors/1', ifRevision, body: '{}' });
    expect(new Set([of(), of(1), of(2)]).size).toBe(3);
    expect(of()).toBe(createHmac('sha256', secret).update('PUT /v1/monitors/1\n{}').digest('hex'));
  });

  it('tells nothing of the body to whoever lacks the secret', () => {
    const other = requestHash([Buffer.alloc(32, 2)], {
      method: 'POST',
      path: '/v1/monitors',
      body: canonical({ a: 1 }),
    });
    expect(other).not.toBe(hash({ a: 1 }));
  });
});

describe('how long a caller waits', () => {
  const waits = (prefer: string | undefined) => Math.round((deadlineOf({ prefer }, 5_000) - Date.now()) / 100) / 10;

  it('is as Prefer: wait says, within 1 to 30 s, or the default', () => {
    expect(waits(undefined)).toBe(5);
    expect(waits('wait=2')).toBe(2);
    expect(waits('respond-async, wait=10')).toBe(10);
    expect(waits('wait=0')).toBe(1);
    expect(waits('wait=99999')).toBe(30);
    expect(waits('wait=-1')).toBe(5);
    expect(waits('nowait=3')).toBe(5);
  });
});
