import { JetStreamApiCodes, JetStreamApiError } from '@nats-io/jetstream';
import { type KV, Kvm, type KvWatchEntry } from '@nats-io/kv';
import type { Connection } from './connection.ts';

/** A value with the revision by which it can be replaced. */
export interface KeyValueEntry {
  key: string;
  /** `undefined` = deleted. */
  value: unknown;
  revision: number;
}

/** A key-value bucket with JSON values; writers that lose a race get `undefined`, not an error. */
export class KeyValue {
  private opening: Promise<KV> | undefined;

  constructor(
    private readonly connection: Connection,
    readonly bucket: string,
  ) {}

  async get(key: string): Promise<KeyValueEntry | undefined> {
    const kv = await this.open();
    const entry = await kv.get(key);
    return entry && entry.operation === 'PUT' ? { key, value: entry.json(), revision: entry.revision } : undefined;
  }

  /** Sets a value whatever it was; returns its revision. */
  async put(key: string, value: unknown): Promise<number> {
    return (await this.open()).put(key, JSON.stringify(value));
  }

  /** Sets a value that must not exist yet; `undefined` if it does. */
  async create(key: string, value: unknown): Promise<number | undefined> {
    const kv = await this.open();
    return lost(kv.create(key, JSON.stringify(value)));
  }

  /** Replaces the value of a revision; `undefined` if somebody else was first. */
  async update(key: string, value: unknown, revision: number): Promise<number | undefined> {
    const kv = await this.open();
    return lost(kv.update(key, JSON.stringify(value), revision));
  }

  /** Deletes a value, or that of one revision only; false if somebody else was first. */
  async delete(key: string, revision?: number): Promise<boolean> {
    const kv = await this.open();
    const deleted = kv.delete(key, revision === undefined ? undefined : { previousSeq: revision }).then(() => true);
    return (await lost(deleted)) ?? false;
  }

  /** Every value of the bucket at this moment. */
  async all(): Promise<KeyValueEntry[]> {
    const kv = await this.open();
    const entries: KeyValueEntry[] = [];
    for await (const key of await kv.keys()) {
      const entry = await this.get(key);
      if (entry) entries.push(entry);
    }
    return entries;
  }

  /** Calls `on` for every present value and every change from now on; returns what stops it. */
  async watch(on: (entry: KeyValueEntry) => void): Promise<() => void> {
    const kv = await this.open();
    const changes = await kv.watch();
    void (async () => {
      for await (const change of changes) on(toEntry(change));
    })();
    return () => changes.stop();
  }

  private open(): Promise<KV> {
    this.opening ??= new Kvm(this.connection.nats).open(this.bucket).catch((error: unknown) => {
      this.opening = undefined;
      throw error;
    });
    return this.opening;
  }
}

function toEntry(change: KvWatchEntry): KeyValueEntry {
  return { key: change.key, value: change.operation === 'PUT' ? change.json() : undefined, revision: change.revision };
}

async function lost<T>(write: Promise<T>): Promise<T | undefined> {
  try {
    return await write;
  } catch (error) {
    const codes: number[] = [
      JetStreamApiCodes.StreamWrongLastSequence,
      JetStreamApiCodes.StreamWrongLastSequenceUnknown,
    ];
    if (error instanceof JetStreamApiError && codes.includes(error.code)) return undefined;
    throw error;
  }
}
