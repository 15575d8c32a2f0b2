import { expect, test } from 'vitest';
import { Lru } from './lru.ts';

test('what was used least recently makes room', () => {
  const lru = new Lru<string>(2);
  const made: string[] = [];
  const get = (key: string) =>
    lru.get(key, () => {
      made.push(key);
      return key;
    });
  get('a');
  get('b');
  get('a');
  get('c');
  get('a');
  get('b');
  expect(made).toEqual(['a', 'b', 'c', 'b']);
  expect(lru.size).toBe(2);
});

test('what can not be made is not kept', () => {
  const lru = new Lru<string>(2);
  const fail = () => {
    throw new Error('no');
  };
  expect(() => lru.get('a', fail)).toThrow('no');
  expect(lru.size).toBe(0);
});
