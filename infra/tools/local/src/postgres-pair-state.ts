import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';

export const postgresNames = ['postgres-1', 'postgres-2'] as const;
/** One server of the pair. */
export type PostgresName = (typeof postgresNames)[number];

const uses = ['in-sync', 'behind', 'stale'] as const;
/**
 * What the standby is good for: `in-sync` it has every acknowledged commit and may be promoted; `behind` it follows, or
 * can, but must not be promoted; `stale` its files are of no use and must be copied anew.
 */
export type StandbyUse = (typeof uses)[number];

interface Stored {
  primary: PostgresName;
  standby: StandbyUse;
}

/** Who is the primary, on disk before it is acted upon: whoever starts next begins with the right one. */
export class PairState {
  private stored: Stored;

  /** @throws when there are data, but nothing says which of them are right */
  constructor(private readonly dataDir: string) {
    this.stored = this.load() ?? { primary: 'postgres-1', standby: 'stale' };
  }

  get primary(): PostgresName {
    return this.stored.primary;
  }

  get standby(): PostgresName {
    return this.stored.primary === 'postgres-1' ? 'postgres-2' : 'postgres-1';
  }

  get use(): StandbyUse {
    return this.stored.standby;
  }

  /** Writes it to the disk, then counts on it. */
  save(change: Partial<Stored>): void {
    const next = { ...this.stored, ...change };
    const file = openSync(`${this.file}.new`, 'w', 0o600);
    try {
      writeSync(file, `${JSON.stringify(next)}\n`);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(`${this.file}.new`, this.file);
    this.stored = next;
  }

  private get file(): string {
    return join(this.dataDir, 'pair.json');
  }

  private load(): Stored | undefined {
    const stored = existsSync(this.file) ? parse(readFileSync(this.file, 'utf8')) : undefined;
    if (stored) return stored;
    if (!postgresNames.some((name) => existsSync(join(this.dataDir, name, 'files', 'PG_VERSION')))) return undefined;
    throw new Error(
      `${this.file} is missing or damaged, and only it says which of the two servers beside it has all data. ` +
        'Write {"primary":"postgres-1","standby":"stale"} into it, with the name of the one to keep; the other is copied anew.',
    );
  }
}

/** Undefined when it is none. */
function parse(text: string): Stored | undefined {
  try {
    const { primary, standby } = JSON.parse(text) as Partial<Stored>;
    return primary && postgresNames.includes(primary) && standby && uses.includes(standby)
      ? { primary, standby }
      : undefined;
  } catch {
    return undefined;
  }
}
