import { expect, it } from 'vitest';
import { entryOf } from './entry.ts';
import { Memory } from './memory.ts';

const entry = (value: unknown) => entryOf(value, 0, { ttlMs: 1, staleMs: 0 })!;

it('forgets what was used longest ago once there are too many', () => {
  const memory = new Memory(2, 1_000);
  memory.set('a', entry(1), []);
  memory.set('b', entry(2), []);
  memory.get('a');
  memory.set('c', entry(3), []);
  expect(['a', 'b', 'c'].map((key) => memory.get(key)?.value)).toEqual([1, undefined, 3]);
});

it('is bounded in size too, and does not take what is larger than all of it', () => {
  const memory = new Memory(100, 50);
  memory.set('a', entry('x'.repeat(30)), []);
  memory.set('b', entry('y'.repeat(30)), []);
  memory.set('c', entry('z'.repeat(60)), []);
  expect(['a', 'b', 'c'].map((key) => memory.get(key) !== undefined)).toEqual([false, true, false]);
});

it('forgets by tag what has it, also after an entry was replaced with other tags', () => {
  const memory = new Memory(100, 1_000);
  memory.set('a', entry(1), ['x', 'y']);
  memory.set('b', entry(2), ['x']);
  memory.set('b', entry(3), ['z']);
  memory.deleteTag('x');
  expect(memory.get('a')).toBeUndefined();
  expect(memory.get('b')?.value).toBe(3);
  memory.clear();
  expect(memory.count).toBe(0);
});
