/** What a client knows of a write, and since when: `open` at first, then acknowledged (2xx, or a 202 that was done) or not. */
export interface Knowledge {
  known: 'open' | 'acknowledged' | 'unsure';
  at: number;
}

/** A channel that the load wanted to exist. Its name is its own. */
export interface CreatedChannel {
  /** When it was asked for. */
  at: number;
  name: string;
  created: Knowledge;
  /** What the answers said its identifier is: more than one is a write that was carried out twice. */
  ids: Set<string>;
  deleted?: Knowledge;
  /** It was not there to be deleted. */
  missing?: true;
}

/** A name that the load wanted a monitor to have. */
export interface Rename {
  at: number;
  monitorId: string;
  name: string;
  renamed: Knowledge;
}

/** A 202: what came of its operation, `pending` until it is done. */
export interface AcceptedWrite {
  at: number;
  kind: string;
  operation: string;
  status: 'pending' | 'done' | 'failed';
  tookMs?: number;
  why?: string;
}

/** A monitor that was shown, unmarked, with a name that another had replaced. */
export interface OutdatedRead {
  at: number;
  monitorId: string;
  name: string;
  replacedBy: string;
}

/** Other instances hear of a change a moment later. */
const SETTLED_MS = 3_000;
const MOST_OF_ONE = 20;
/** Over so many of either kind the oldest are forgotten. */
const MOST = 20_000;

/** Everything that the load wrote, and what it was told of it: the writes that may not be lost or doubled. */
export class Ledger {
  readonly channels: CreatedChannel[] = [];
  readonly accepted: AcceptedWrite[] = [];
  /** Answers that were not marked stale and showed what had been replaced for a while. */
  readonly outdated: OutdatedRead[] = [];
  /** Of each monitor the newest, in order. */
  readonly renames = new Map<string, Rename[]>();
  private readonly living: CreatedChannel[] = [];

  channel(name: string): CreatedChannel {
    return keep(this.channels, { at: Date.now(), name, created: knowledge('open'), ids: new Set() });
  }

  /** Of two answers to one write, the better one stands. */
  noteCreated(entry: CreatedChannel, known: Knowledge['known'], id: unknown): void {
    if (known === 'acknowledged' && typeof id === 'string') entry.ids.add(id);
    if (entry.created.known === 'acknowledged') return;
    entry.created = knowledge(known);
    if (entry.ids.size > 0) this.living.push(entry);
  }

  /** How many channels exist as far as is known. */
  get population(): number {
    return this.living.length;
  }

  /** The oldest of them, to be deleted: it is given to one caller only. */
  takeOldest(): CreatedChannel | undefined {
    return this.living.shift();
  }

  /**
   * Notes a rename, or nothing while it is not known what became of the one before: a write that was not answered may
   * still be carried out, after the next one.
   */
  rename(monitorId: string, name: string): Rename | undefined {
    const last = this.renames.get(monitorId)?.at(-1);
    if (last && last.renamed.known !== 'acknowledged') return undefined;
    const entry: Rename = { at: Date.now(), monitorId, name, renamed: knowledge('open') };
    this.renames.set(monitorId, [...(this.renames.get(monitorId) ?? []), entry].slice(-MOST_OF_ONE));
    return entry;
  }

  /** Holds the name that a monitor was shown with against those that it may have had since the question was asked. */
  noteRead(monitorId: string, name: string, askedAt: number): void {
    const renames = this.renames.get(monitorId) ?? [];
    const settled = renames.findLastIndex(
      ({ renamed }) => renamed.known === 'acknowledged' && renamed.at < askedAt - SETTLED_MS,
    );
    if (settled < 0 || renames.slice(settled).some((rename) => rename.name === name)) return;
    keep(this.outdated, { at: askedAt, monitorId, name, replacedBy: renames[settled]!.name });
  }

  accept(kind: string, operation: string): AcceptedWrite {
    return keep(this.accepted, { at: Date.now(), kind, operation, status: 'pending' });
  }
}

/** What is known as of now. */
export function knowledge(known: Knowledge['known']): Knowledge {
  return { known, at: Date.now() };
}

function keep<T>(list: T[], entry: T): T {
  list.push(entry);
  if (list.length > MOST) list.splice(0, MOST / 10);
  return entry;
}
