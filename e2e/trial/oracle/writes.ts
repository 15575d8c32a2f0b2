import type { Knowledge, Ledger } from '../load/ledger.ts';
import { type Range, within } from './range.ts';

interface Named {
  id: string;
  name: string;
}

/** What became of the writes that the API acknowledged. */
export interface WriteCounts {
  acknowledged: number;
  lostWrites: number;
  doubledWrites: number;
  /** Accepted (202), but failed or never done. */
  failedOperations: number;
  /** From the 202 until the operation was seen done. */
  worstOperationMs: number;
  /** What was lost, doubled or failed, in words. */
  details: string[];
}

/** All channels and monitors of the record, and when it was asked. */
export interface There {
  channels: readonly Named[];
  monitors: readonly Named[];
  askedAt: number;
}

interface Counting {
  range: Range;
  there: There;
  counts: WriteCounts;
}

/**
 * Holds what clients were told of their writes in a range against what there is. What was acknowledged after the record
 * was asked is left out; ask some 30 s after the range's end, and all of its writes are in.
 */
export function countWrites(ledger: Ledger, there: There, range: Range): WriteCounts {
  const counts = {
    acknowledged: 0,
    lostWrites: 0,
    doubledWrites: 0,
    failedOperations: 0,
    worstOperationMs: 0,
    details: [],
  };
  const counting = { range, there, counts };
  countChannels(ledger, counting);
  countRenames(ledger, counting);
  countOperations(ledger, counting);
  return counts;
}

function countChannels(ledger: Ledger, { range, there, counts }: Counting): void {
  const byName = Map.groupBy(there.channels, ({ name }) => name);
  for (const { at, name, created, ids, deleted, missing } of ledger.channels) {
    if (!within(range, at)) continue;
    const found = byName.get(name)?.length ?? 0;
    if (found > 1 || ids.size > 1) {
      counts.doubledWrites++;
      counts.details.push(`${name} exists ${found} times, and was answered with ${ids.size} identifiers`);
    }
    if (!acknowledged(created, there)) continue;
    counts.acknowledged++;
    if (found === 0 && (deleted === undefined || missing)) {
      counts.lostWrites++;
      counts.details.push(`${name} was acknowledged and does not exist`);
    }
    if (!acknowledged(deleted, there)) continue;
    counts.acknowledged++;
    if (found > 0) {
      counts.lostWrites++;
      counts.details.push(`${name} was deleted, acknowledged, and exists`);
    }
  }
}

/** A monitor must bear the last name that was acknowledged, or one that was asked for after it. */
function countRenames(ledger: Ledger, { range, there, counts }: Counting): void {
  const names = new Map(there.monitors.map(({ id, name }) => [id, name]));
  for (const [monitorId, renames] of ledger.renames) {
    const last = renames.findLastIndex(({ renamed }) => acknowledged(renamed, there));
    const entry = renames[last];
    if (!entry || !within(range, entry.at)) continue;
    counts.acknowledged++;
    const name = names.get(monitorId);
    if (renames.slice(last).some((rename) => rename.name === name)) continue;
    counts.lostWrites++;
    counts.details.push(`monitor ${monitorId} was named ${entry.name}, acknowledged, and is named ${name}`);
  }
}

function countOperations(ledger: Ledger, { range, counts }: Counting): void {
  for (const { at, kind, operation, status, tookMs, why } of ledger.accepted) {
    if (!within(range, at)) continue;
    counts.worstOperationMs = Math.max(counts.worstOperationMs, tookMs ?? 0);
    if (status === 'done') continue;
    counts.failedOperations++;
    counts.details.push(`${kind} was accepted and is ${status} (${operation}): ${why ?? 'no reason was given'}`);
  }
}

function acknowledged(knowledge: Knowledge | undefined, { askedAt }: There): boolean {
  return knowledge?.known === 'acknowledged' && knowledge.at < askedAt;
}
