import { hash32 } from '@tocsin/core';

/**
 * Which member each shard belongs to while all of them live: rendezvous hashing (Thaler and Ravishankar, 1998) with
 * bounded loads, so that nobody has more than its share and a member that comes or goes moves little else.
 * Every member computes the same, in whatever order it names them.
 * @returns the member of shard 0, 1, …; all undefined when there are none
 */
export function placement(shards: number, members: readonly string[]): (string | undefined)[] {
  const share = Math.ceil(shards / Math.max(1, members.length));
  const load = new Map<string, number>();
  return Array.from({ length: shards }, (_, shard) => {
    const [best] = members
      .filter((member) => (load.get(member) ?? 0) < share)
      .map((member) => ({ member, score: hash32(`${member}/${shard}`) }))
      .sort((a, b) => b.score - a.score || (a.member < b.member ? -1 : 1));
    if (best) load.set(best.member, (load.get(best.member) ?? 0) + 1);
    return best?.member;
  });
}
