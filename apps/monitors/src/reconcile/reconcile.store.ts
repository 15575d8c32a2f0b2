import type { Channel, Monitor } from '@tocsin/contracts';

export type Kind = 'monitors' | 'channels';

/** What reconciliation reads of the record. */
export abstract class ReconcileStore {
  /** Claims the periodic work for one instance: true if nobody did it in the last `everyMs`. */
  abstract claim(everyMs: number): Promise<boolean>;
  /** Revisions by identifier. Those that changed in the last `settlingMs` are left out: they are still on their way. */
  abstract revisions(kind: Kind, settlingMs: number): Promise<{ settled: Map<string, number>; fresh: Set<string> }>;
  abstract graves(kind: Kind): Promise<Map<string, number>>;
  abstract records(kind: Kind, ids: readonly string[]): Promise<(Monitor | Channel)[]>;
  /** Forgets what was needed only for a while: old tombstones and operations. */
  abstract tidy(): Promise<void>;
}
