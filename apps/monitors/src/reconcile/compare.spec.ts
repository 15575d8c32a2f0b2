import { describe, expect, it } from 'vitest';
import { compare, type Published } from './compare.ts';

const seen = (revision: number, deleted = false): Published => ({ revision, deleted });

describe('compare', () => {
  it.each([
    ['what CONFIG lacks is published', [], [['a', 1]], { publish: ['a'], remove: [] }],
    ['what CONFIG has in an older revision is published', [['a', seen(1)]], [['a', 2]], { publish: ['a'], remove: [] }],
    ['what CONFIG has is left alone', [['a', seen(2)]], [['a', 2]], { publish: [], remove: [] }],
    [
      'what CONFIG wrongly calls deleted is published',
      [['a', seen(9, true)]],
      [['a', 2]],
      { publish: ['a'], remove: [] },
    ],
    [
      'what is gone is buried above its last revision',
      [['a', seen(4)]],
      [],
      { publish: [], remove: [{ id: 'a', revision: 5 }] },
    ],
    ['a tombstone is left alone', [['a', seen(4, true)]], [], { publish: [], remove: [] }],
  ] as const)('%s', (_, published, recorded, expected) => {
    expect(compare(new Map(published), new Map(recorded), new Map())).toEqual(expected);
  });

  it('buries at the revision of the grave where that is known', () => {
    expect(compare(new Map([['a', seen(4)]]), new Map(), new Map([['a', 7]])).remove).toEqual([
      { id: 'a', revision: 7 },
    ]);
  });
});
