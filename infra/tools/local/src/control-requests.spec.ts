import { describe, expect, it } from 'vitest';
import { parseNames, parseSelector } from './control-requests.ts';

describe('a selector of links', () => {
  it.each([[{ host: 'nats-1' }], [{ from: 'prober-1', to: 'redis' }]])('may be %j', (body) => {
    expect(parseSelector(body, { all: false })).toEqual(body);
  });

  it('of nothing means all, where all may be meant', () => {
    expect(parseSelector({}, { all: true })).toEqual({});
    expect(() => parseSelector({}, { all: false })).toThrow('takes {"host":"nats-1"}');
  });

  it.each([
    [null],
    [[]],
    ['nats-1'],
    [{ host: 1 }],
    [{ host: 'Nats 1' }],
    [{ host: 'a', from: 'b', to: 'c' }],
    [{ from: 'a' }],
    [{ hots: 'a' }],
  ])('%j is refused with what it takes', (body) => {
    expect(() => parseSelector(body, { all: true })).toThrow('takes {"host":"nats-1"} or');
  });
});

describe('names to hold', () => {
  it('are those that there are', () => {
    expect(parseNames({ names: ['a', 'b'] }, ['a', 'b', 'c'])).toEqual(['a', 'b']);
    expect(() => parseNames({ names: ['a', 'x'] }, ['a', 'b'])).toThrow('knows no x; the names are a, b');
  });

  it.each([[undefined], [{}], [{ names: [] }], [{ names: 'a' }], [{ names: ['a'], now: true }]])(
    '%j is refused with what it takes',
    (body) => {
      expect(() => parseNames(body, ['a'])).toThrow('takes {"names":["prober-1"]}');
    },
  );
});
