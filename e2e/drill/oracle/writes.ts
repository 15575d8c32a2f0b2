import type { Ledger } from '../load/ledger.ts';
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

/**
 * Holds what clients were told of their writes in a range against what there is. Ask when the load's writes have ended.
 * @param there all channels and monitors, from the record
 */
export function countWrites(
  ledger: Ledger,
  there: { channels: readonly Named[]; monitors: readonly Named[] },
  range: Range,
): WriteCounts {
  const counts = {
    acknowledged: 0,
    lostWrites: 0,
    doubledWrites: 0,
    failedOperations: 0,
    worstOperationMs: 0,
    details: [],
  };
  countChannels(ledger, there.channels, { range, counts });
  countRenames(ledger, there.monitors, { range, counts });
  countOperations(ledger, range, counts);
  return counts;
}

function countChannels(ledger: Ledger, there: readonly Named[], o: { range: Range; counts: WriteCounts }): void {
  const { counts } = o;
  const byName = Map.groupBy(there, ({ name }) => name);
  for (const { at, name, created, ids, deleted } of ledger.channels) {
    if (!within(o.range, at)) continue;
    const found = byName.get(name)?.length ?? 0;
    if (found > 1 || ids.size > 1) {
      counts.doubledWrites++;
      counts.details.push(`${name} exists ${found} times, and was answered with ${ids.size} identifiers`);
    }
    if (created !== 'acknowledged') continue;
    counts.acknowledged++;
    if (found === 0 && deleted === undefined) {
      counts.lostWrites++;
      counts.details.push(`${name} was acknowledged and does not exist`);
    }
    if (deleted !== 'acknowledged') continue;
    counts.acknowledged++;
    if (found > 0) {
      counts.lostWrites++;
      counts.details.push(`${name} was deleted, acknowledged, and exists`);
    }
  }
}

/** A monitor must bear the last name that was acknowledged, or one that was asked for later without being answered. */
function countRenames(ledger: Ledger, there: readonly Named[], o: { range: Range; counts: WriteCounts }): void {
  const { counts } = o;
  const names = new Map(there.map(({ id, name }) => [id, name]));
  for (const [monitorId, renames] of ledger.renames) {
    const last = renames.findLastIndex(({ known }) => known === 'acknowledged');
    const acknowledged = renames[last];
    if (!acknowledged || !within(o.range, acknowledged.at)) continue;
    counts.acknowledged++;
    const name = names.get(monitorId);
    if (renames.slice(last).some((rename) => rename.name === name)) continue;
    counts.lostWrites++;
    counts.details.push(`monitor ${monitorId} was named ${acknowledged.name}, acknowledged, and is named ${name}`);
  }
}

function countOperations(ledger: Ledger, range: Range, counts: WriteCounts): void {
  for (const { at, kind, operation, status, tookMs, why } of ledger.accepted) {
    if (!within(range, at)) continue;
    counts.worstOperationMs = Math.max(counts.worstOperationMs, tookMs ?? 0);
    if (status === 'done') continue;
    counts.failedOperations++;
    counts.details.push(`${kind} was accepted and is ${status} (${operation}): ${why ?? 'no reason was given'}`);
  }
}
