import { hash32 } from '@tocsin/core';

/**
 * The member that a shard belongs to while all of them live: rendezvous hashing (Thaler and Ravishankar, 1998), so a
 * member that comes or goes moves only its own share.
 */
export function preferredMember(shard: number, members: readonly string[]): string | undefined {
  let best: string | undefined;
  let bestScore = -1;
  for (const member of members) {
    const score = hash32(`${member}/${shard}`);
    if (score > bestScore || (score === bestScore && best !== undefined && member < best)) {
      best = member;
      bestScore = score;
    }
  }
  return best;
}
