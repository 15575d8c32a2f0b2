/** What a client knows of a write: `acknowledged` (2xx, or a 202 whose operation was done), or not (yet). */
export type Known = 'open' | 'acknowledged' | 'unsure';

/** A channel that the load wanted to exist. Its name is its own. */
export interface CreatedChannel {
  at: number;
  name: string;
  created: Known;
  /** What the answers said its identifier is: more than one is a write that was carried out twice. */
  ids: Set<string>;
  deleted?: Known;
}

/** A name that the load wanted a monitor to have. At most one is open per monitor. */
export interface Rename {
  at: number;
  monitorId: string;
  name: string;
  known: Known;
}

/** A 202: what came of its operation, `pending` when it was not done in time. */
export interface AcceptedWrite {
  at: number;
  kind: string;
  operation: string;
  status: 'pending' | 'done' | 'failed';
  tookMs?: number;
  why?: string;
}

/** Over this many settled channels the oldest are forgotten. */
const MOST_CHANNELS = 20_000;

/** Everything that the load wrote, and what it was told of it: the writes that may not be lost or doubled. */
export class Ledger {
  readonly channels: CreatedChannel[] = [];
  /** Of each monitor the acknowledged rename and those after it, oldest first. */
  readonly renames = new Map<string, Rename[]>();
  readonly accepted: AcceptedWrite[] = [];

  channel(name: string): CreatedChannel {
    const entry: CreatedChannel = { at: Date.now(), name, created: 'open', ids: new Set() };
    this.channels.push(entry);
    if (this.channels.length > MOST_CHANNELS) this.channels.splice(0, MOST_CHANNELS / 10);
    return entry;
  }

  /** Notes a rename, or says nothing while one of that monitor is still open. */
  rename(monitorId: string, name: string): Rename | undefined {
    const before = this.renames.get(monitorId) ?? [];
    if (before.some(({ known }) => known === 'open')) return undefined;
    const entry: Rename = { at: Date.now(), monitorId, name, known: 'open' };
    const acknowledged = before.findLastIndex(({ known }) => known === 'acknowledged');
    this.renames.set(monitorId, [...before.slice(Math.max(0, acknowledged)), entry]);
    return entry;
  }

  /** How many channels exist as far as is known. */
  get living(): CreatedChannel[] {
    return this.channels.filter(({ created, deleted }) => created === 'acknowledged' && deleted === undefined);
  }
}
