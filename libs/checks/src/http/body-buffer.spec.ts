import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BodyBuffer, MemoryBudget } from './body-buffer.ts';

const KIB = 1_024;

test('parts are put together, however they come', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ minLength: 1, maxLength: 9_000 })), (parts) => {
      const buffer = new BodyBuffer(1_000_000, new MemoryBudget(0));
      for (const part of parts.slice(0, 7)) buffer.append(Buffer.from(part));
      expect(buffer.bytes.equals(Buffer.concat(parts.slice(0, 7)))).toBe(true);
    }),
  );
});

test('all bodies share one budget, besides a little for each, and give back what they took', () => {
  const budget = new MemoryBudget(300 * KIB);
  const large = new BodyBuffer(1_024 * KIB, budget);
  for (let i = 0; i < 12; i++) large.append(Buffer.alloc(10 * KIB));
  expect(budget.held).toBeGreaterThanOrEqual(56 * KIB);
  const other = new BodyBuffer(1_024 * KIB, budget);
  expect(() => other.append(Buffer.alloc(400 * KIB))).toThrow(
    expect.objectContaining({ reason: 'resources' }) as Error,
  );
  const small = new BodyBuffer(1_024 * KIB, budget);
  for (let i = 0; i < 30; i++) small.append(Buffer.alloc(KIB));
  expect(small.bytes).toHaveLength(30 * KIB);
  for (const buffer of [large, other, small]) buffer.release();
  expect(budget.held).toBe(0);
  expect(large.bytes).toHaveLength(0);
});

test('a body that comes byte by byte takes no more than twice its length', () => {
  const budget = new MemoryBudget(1_024 * KIB);
  const buffer = new BodyBuffer(10_240 * KIB, budget);
  for (let i = 0; i < 200 * KIB; i++) buffer.append(Buffer.of(i & 255));
  expect(budget.held).toBeLessThanOrEqual(400 * KIB);
  expect(buffer.bytes).toHaveLength(200 * KIB);
});
