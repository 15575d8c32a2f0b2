import type { WatchedMonitor } from '../load/fleet.ts';
import { firstAtOrAfter } from '../load/hit-log.ts';
import { dueTimesOf, type WindowSeen } from './windows.ts';
import type { HitsOf, Range } from './range.ts';

/** A check that is begun just before its window ends hits its target a little later. */
const GRACE_MS = 1_500;

/** How a window ended, as the record says: in the order of the numbers that stand for it there. */
export const OUTCOMES = ['ran', 'late', 'missed', 'excused'] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** What the record says of one monitor's windows in a range: due times and outcomes, side by side. */
export interface Recorded {
  monitorId: string;
  due: number[];
  outcomes: number[];
}

/** Tocsin's own word, held against the grid and against what the targets saw. */
export interface RecordCounts {
  byOutcome: Record<Outcome, number>;
  ofMonitor: Map<string, Record<Outcome, number>>;
  /** Windows of the grid that the record says nothing of. */
  unaccounted: WindowSeen[];
  /** Counted rows that are no window of the grid, or say a second time what another said. */
  surplus: number;
  /**
   * Windows that ran as the targets saw, and are missed in the record: the result was lost on its way. Only of targets
   * that never flip: others are hit by confirmations too, which may fall into the next window.
   */
  lostResults: WindowSeen[];
  /** Windows that ran as the record says, though no target was hit in them; of targets that never flip as well. */
  unseenRuns: WindowSeen[];
}

/** Holds the record against the grid: the sum of all windows must be exact. */
export function compareWithRecord(
  monitors: readonly WatchedMonitor[],
  recorded: readonly Recorded[],
  hitsOf: HitsOf,
  range: Range,
): RecordCounts {
  const counts: RecordCounts = {
    byOutcome: none(),
    ofMonitor: new Map(),
    unaccounted: [],
    surplus: 0,
    lostResults: [],
    unseenRuns: [],
  };
  const byMonitor = new Map(recorded.map((record) => [record.monitorId, record]));
  for (const monitor of monitors) compareOne(monitor, byMonitor.get(monitor.id), { hitsOf, range, counts });
  return counts;
}

function compareOne(
  monitor: WatchedMonitor,
  recorded: Recorded | undefined,
  { hitsOf, range, counts }: { hitsOf: HitsOf; range: Range; counts: RecordCounts },
): void {
  const own = none();
  const said = new Map(recorded?.due.map((due, i) => [due, recorded.outcomes[i]!]));
  const hits = new UnclaimedHits(hitsOf(monitor.n));
  let accounted = 0;
  for (const due of dueTimesOf(monitor, range)) {
    const seen = { n: monitor.n, monitorId: monitor.id, intervalMs: monitor.intervalMs, dueAt: due };
    const outcome = OUTCOMES[said.get(due) ?? -1];
    if (outcome === undefined) {
      counts.unaccounted.push(seen);
      continue;
    }
    accounted++;
    own[outcome]++;
    counts.byOutcome[outcome]++;
    if (monitor.flips || outcome === 'excused') continue;
    const hit = hits.claim(due, due + monitor.intervalMs + (outcome === 'missed' ? 0 : GRACE_MS));
    if (outcome === 'missed' && hit !== undefined) counts.lostResults.push({ ...seen, lateMs: hit - due });
    if (outcome !== 'missed' && hit === undefined) counts.unseenRuns.push(seen);
  }
  counts.surplus += (recorded?.due.length ?? 0) - accounted;
  counts.ofMonitor.set(monitor.id, own);
}

/** A target's hits, each of which speaks for one window. */
class UnclaimedHits {
  private next = 0;

  constructor(private readonly hits: readonly number[]) {}

  /** The first hit from `from` on and before `to` that no earlier window claimed. Ask in the order of the windows. */
  claim(from: number, to: number): number | undefined {
    this.next = Math.max(this.next, firstAtOrAfter(this.hits, from));
    const hit = this.hits[this.next];
    if (hit === undefined || hit >= to) return undefined;
    this.next++;
    return hit;
  }
}

function none(): Record<Outcome, number> {
  return { ran: 0, late: 0, missed: 0, excused: 0 };
}
