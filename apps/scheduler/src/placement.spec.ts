import { describe, expect, it } from 'vitest';
import { placement } from './placement.ts';

describe(placement.name, () => {
  it('names nobody when nobody is there', () => {
    expect(placement(2, [])).toEqual([undefined, undefined]);
  });

  it('does not depend on the order of the members', () => {
    expect(placement(64, ['a', 'b', 'c'])).toEqual(placement(64, ['c', 'a', 'b']));
  });

  it.each([1, 2, 3, 5])('gives each of %i members its share and no more', (count) => {
    const members = Array.from({ length: count }, (_, n) => `member-${n}`);
    const placed = placement(8, members);
    const loads = members.map((member) => placed.filter((name) => name === member).length);
    expect(Math.max(...loads)).toBeLessThanOrEqual(Math.ceil(8 / count));
    expect(loads.reduce((a, b) => a + b)).toBe(8);
  });

  it('moves less than half of what stays when a member leaves', () => {
    const before = placement(64, ['a', 'b', 'c']);
    const after = placement(64, ['a', 'b']);
    const stayed = before.map((member, shard) => ({ member, shard })).filter(({ member }) => member !== 'c');
    const moved = stayed.filter(({ member, shard }) => after[shard] !== member);
    expect(moved.length).toBeLessThan(stayed.length / 2);
  });
});
