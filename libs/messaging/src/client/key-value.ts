import { jetstream, JetStreamApiCodes, JetStreamApiError } from '@nats-io/jetstream';
import { type KV, Kvm } from '@nats-io/kv';
import { systemClock, TocsinError } from '@tocsin/core';
import type { Connection } from './connection.ts';
import { type Follow, StreamFollow } from './follow.ts';

const NOT_FOUND = 404;

/** A value with the revision by which it can be replaced. */
export interface KeyValueEntry {
  key: string;
  value: unknown;
  revision: number;
}

const TIMEOUT_MS = 5_000;
/** Not one answer for this long: this server may be cut off from the one that has the bucket. */
const UNHEARD_MS = 2_500;

/**
 * A key-value bucket with JSON values; writers that lose a race get `undefined`, not an error. Everything else that fails
 * is a TocsinError `unavailable`: the broker elects, or the bucket is missing and about to be created again.
 */
export class KeyValue {
  private opening: Promise<KV> | undefined;
  /** Kept apart: a leader that was cut off answers reads, and who lost a race, for as long as it believes to lead. */
  private readonly failingSince: Partial<Record<'reads' | 'writes', number>> = {};

  constructor(
    private readonly connection: Connection,
    readonly bucket: string,
    private readonly timeoutMs = TIMEOUT_MS,
  ) {
    // What went unanswered on a lost connection says nothing of the next.
    connection.onReconnect(() => this.sound());
  }

  async get(key: string): Promise<KeyValueEntry | undefined> {
    const entry = await this.asked((kv) => kv.get(key));
    return entry && entry.operation === 'PUT' ? { key, value: entry.json(), revision: entry.revision } : undefined;
  }

  /** Sets a value whatever it was; returns its revision. */
  put(key: string, value: unknown): Promise<number> {
    return this.written(async (kv) => stored(await kv.put(key, JSON.stringify(value))));
  }

  /** Sets a value that must not exist yet; `undefined` if it does. */
  create(key: string, value: unknown): Promise<number | undefined> {
    return this.written((kv) => lost(kv.create(key, JSON.stringify(value)).then(stored)));
  }

  /** Replaces the value of a revision; `undefined` if somebody else was first. */
  update(key: string, value: unknown, revision: number): Promise<number | undefined> {
    return this.written((kv) => lost(kv.update(key, JSON.stringify(value), revision, this.timeoutMs).then(stored)));
  }

  /** Deletes a value, or that of one revision only; false if somebody else was first. */
  async delete(key: string, revision?: number): Promise<boolean> {
    const o = revision === undefined ? undefined : { previousSeq: revision };
    const deleted = await this.written((kv) => lost(kv.delete(key, o).then(() => true)));
    return deleted ?? false;
  }

  /** Every value of the bucket at this moment. */
  async all(): Promise<KeyValueEntry[]> {
    const entries: KeyValueEntry[] = [];
    const keys = await this.asked(async (kv) => {
      const found: string[] = [];
      for await (const key of await kv.keys()) found.push(key);
      return found;
    });
    for (const key of keys) {
      const entry = await this.get(key);
      if (entry) entries.push(entry);
    }
    return entries;
  }

  /** Tells of every value that stands in the bucket, and then of each that is set; `undefined` for one that was deleted. */
  follow(on: (key: string, value: unknown) => void): Promise<Follow> {
    const prefix = `$KV.${this.bucket}.`;
    const o = { stream: `KV_${this.bucket}`, filters: [`${prefix}>`], from: 'last-per-subject' as const };
    const follow = new StreamFollow(this.connection, o, ({ subject, data, headers }) =>
      on(subject.slice(prefix.length), headers['KV-Operation'] ? undefined : data),
    );
    return follow.start();
  }

  /** When the bucket was created, as the broker says it: another time means another bucket, with revisions from 1. */
  incarnation(): Promise<string> {
    return this.asked(async (kv) => (await kv.status()).streamInfo.created);
  }

  private async asked<T>(act: (kv: KV) => Promise<T>): Promise<T> {
    const answer = await this.tried('reads', act);
    delete this.failingSince.reads;
    return answer;
  }

  private async written<T>(act: (kv: KV) => Promise<T>): Promise<T> {
    const answer = await this.tried('writes', act);
    if (answer !== undefined) this.sound();
    else if (this.failingSince.writes !== undefined) this.suspect('writes');
    return answer;
  }

  private async tried<T>(kind: 'reads' | 'writes', act: (kv: KV) => Promise<T>): Promise<T> {
    try {
      return await act(await this.open());
    } catch (cause) {
      // It answers, if only to refuse: the connection is sound.
      const answered = cause instanceof JetStreamApiError && cause.status < 500;
      if (answered) this.sound();
      if ((answered && cause.status !== NOT_FOUND) || cause instanceof TocsinError) throw cause;
      // No answer, no leader, or no such bucket.
      this.connection.missing(`the bucket ${this.bucket} does not answer`);
      if (!answered) this.suspect(kind);
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new TocsinError('unavailable', `The bucket ${this.bucket} does not answer: ${why}. Try again.`, { cause });
    }
  }

  private sound(): void {
    delete this.failingSince.reads;
    delete this.failingSince.writes;
  }

  private suspect(kind: 'reads' | 'writes'): void {
    const now = systemClock.monotonic();
    const what = `the bucket ${this.bucket} does not answer`;
    this.failingSince[kind] ??= now;
    if (now - this.failingSince[kind] < UNHEARD_MS) return;
    void this.connection.force(what);
    this.failingSince[kind] = now;
  }

  private open(): Promise<KV> {
    const client = jetstream(this.connection.nats, { timeout: this.timeoutMs });
    this.opening ??= new Kvm(client).open(this.bucket).catch((error: unknown) => {
      this.opening = undefined;
      throw error;
    });
    return this.opening;
  }
}

/** @throws an error for an acknowledgement with sequence 0, which an isolated leader has been seen to send */
function stored(revision: number): number {
  if (revision > 0) return revision;
  throw new TocsinError('unavailable', 'The broker acknowledged a value without a revision. Try again.');
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
