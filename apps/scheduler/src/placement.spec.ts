import { describe, expect, it } from 'vitest';
import { preferredMember } from './placement.ts';

const SHARDS = Array.from({ length: 64 }, (_, shard) => shard);

describe(preferredMember.name, () => {
  it('names nobody when nobody is there', () => {
    expect(preferredMember(0, [])).toBeUndefined();
  });

  it('does not depend on the order of the members', () => {
    for (const shard of SHARDS) {
      expect(preferredMember(shard, ['a', 'b', 'c'])).toBe(preferredMember(shard, ['c', 'a', 'b']));
    }
  });

  it('moves only the shards of a member that leaves', () => {
    for (const shard of SHARDS) {
      const before = preferredMember(shard, ['a', 'b', 'c'])!;
      const after = preferredMember(shard, ['a', 'b'])!;
      if (before !== 'c') expect(after).toBe(before);
    }
  });

  it('gives every member a share', () => {
    const share = new Set(SHARDS.map((shard) => preferredMember(shard, ['a', 'b', 'c'])));
    expect(share).toEqual(new Set(['a', 'b', 'c']));
  });
});
