import { describe, expect, it } from 'vitest';
import { Fence } from './nats-guard.ts';

/** What a fence says of looks 500 ms apart. */
function judged(looks: readonly (number | 'nothing')[], pids: readonly number[] = looks.map(() => 1)): boolean[] {
  const fence = new Fence();
  return looks.map((seen, i) => fence.judge(pids[i]!, seen, i * 500) !== undefined);
}

const times = <T>(count: number, one: T): T[] => Array.from({ length: count }, () => one);

describe('a node of the broker', () => {
  it('that answers and has a peer is left alone', () => {
    expect(judged([0, 1, 2, 1, 2])).toEqual(times(5, false));
  });

  it('that has said nothing for more than 4 s is ended, not before', () => {
    expect(judged([2, ...times(9, 'nothing' as const)])).toEqual([...times(9, false), true]);
  });

  it('that has not answered yet is given 20 s to start', () => {
    expect(judged(times(42, 'nothing' as const))).toEqual([...times(41, false), true]);
  });

  it('that lost all its peers is ended', () => {
    expect(judged([2, 1, 0, 0])).toEqual([false, false, false, true]);
  });

  it('that never had one may be the first to run', () => {
    expect(judged(times(20, 0))).toEqual(times(20, false));
  });

  it('that was started again is judged anew', () => {
    expect(judged([2, ...times(8, 'nothing' as const), 'nothing', 0, 0, 0], [...times(9, 1), ...times(4, 2)])).toEqual(
      times(13, false),
    );
  });
});
