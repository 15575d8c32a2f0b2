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
/** After this long without an answer, this server may be cut off from the one that has the bucket. */
const LEAVE_SERVER_AFTER_MS = 2_500;

/**
 * A key-value bucket with JSON values. A writer that loses a race gets `undefined`, not an error. Every other failure is a
 * TocsinError `unavailable`: the broker elects a leader, or the bucket is missing and about to be created again.
 */
export class KeyValue {
  private opening: Promise<KV> | undefined;
  /** Two clocks, because a leader that was cut off still answers reads, and lost races, while it believes that it leads. */
  private readonly failingSince: Partial<Record<'reads' | 'writes', number>> = {};

  constructor(
    private readonly connection: Connection,
    readonly bucket: string,
    private readonly timeoutMs = TIMEOUT_MS,
  ) {
    // Silence on a lost connection says nothing about the next one.
    connection.onReconnect(() => this.markSound());
  }

  async get(key: string): Promise<KeyValueEntry | undefined> {
    const entry = await this.read((kv) => kv.get(key));
    return entry && entry.operation === 'PUT' ? { key, value: entry.json(), revision: entry.revision } : undefined;
  }

  /** Sets a value, whether or not the key exists. Returns its revision. */
  put(key: string, value: unknown): Promise<number> {
    return this.write(async (kv) => checkedRevision(await kv.put(key, JSON.stringify(value))));
  }

  /** Sets the value of a key that must not exist yet; `undefined` if it exists. */
  create(key: string, value: unknown): Promise<number | undefined> {
    return this.write((kv) => unlessLostRace(kv.create(key, JSON.stringify(value)).then(checkedRevision)));
  }

  /** Replaces the value of a revision; `undefined` if somebody else was first. */
  update(key: string, value: unknown, revision: number): Promise<number | undefined> {
    return this.write((kv) =>
      unlessLostRace(kv.update(key, JSON.stringify(value), revision, this.timeoutMs).then(checkedRevision)),
    );
  }

  /** Deletes a value, or that of one revision only; false if somebody else was first. */
  async delete(key: string, revision?: number): Promise<boolean> {
    const o = revision === undefined ? undefined : { previousSeq: revision };
    const deleted = await this.write((kv) => unlessLostRace(kv.delete(key, o).then(() => true)));
    return deleted ?? false;
  }

  /** Every value of the bucket at this moment. */
  async all(): Promise<KeyValueEntry[]> {
    const entries: KeyValueEntry[] = [];
    const keys = await this.read(async (kv) => {
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

  /** Calls `on` with every value in the bucket, then with each change; `undefined` means that the key was deleted. */
  follow(on: (key: string, value: unknown) => void): Promise<Follow> {
    const prefix = `$KV.${this.bucket}.`;
    const o = { stream: `KV_${this.bucket}`, filters: [`${prefix}>`], from: 'last-per-subject' as const };
    const follow = new StreamFollow(this.connection, o, ({ subject, data, headers }) =>
      on(subject.slice(prefix.length), headers['KV-Operation'] ? undefined : data),
    );
    return follow.start();
  }

  /** When the bucket was created, as the broker reports it. Another time means another bucket, with revisions from 1. */
  incarnation(): Promise<string> {
    return this.read(async (kv) => (await kv.status()).streamInfo.created);
  }

  private async read<T>(act: (kv: KV) => Promise<T>): Promise<T> {
    const answer = await this.attempt('reads', act);
    delete this.failingSince.reads;
    return answer;
  }

  private async write<T>(act: (kv: KV) => Promise<T>): Promise<T> {
    const answer = await this.attempt('writes', act);
    if (answer !== undefined) this.markSound();
    else if (this.failingSince.writes !== undefined) this.reportSilence('writes');
    return answer;
  }

  private async attempt<T>(kind: 'reads' | 'writes', act: (kv: KV) => Promise<T>): Promise<T> {
    try {
      return await act(await this.open());
    } catch (cause) {
      // The broker answers, even if it refuses: the connection is sound.
      const answered = cause instanceof JetStreamApiError && cause.status < 500;
      if (answered) this.markSound();
      if ((answered && cause.status !== NOT_FOUND) || cause instanceof TocsinError) throw cause;
      // No answer, no leader, or no such bucket.
      this.connection.reportMissing(`the bucket ${this.bucket} does not answer`);
      if (!answered) this.reportSilence(kind);
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new TocsinError('unavailable', `The bucket ${this.bucket} does not answer: ${why}. Try again.`, { cause });
    }
  }

  private markSound(): void {
    delete this.failingSince.reads;
    delete this.failingSince.writes;
  }

  private reportSilence(kind: 'reads' | 'writes'): void {
    const now = systemClock.monotonic();
    const what = `the bucket ${this.bucket} does not answer`;
    this.failingSince[kind] ??= now;
    if (now - this.failingSince[kind] < LEAVE_SERVER_AFTER_MS) return;
    void this.connection.leaveServer(what);
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
function checkedRevision(revision: number): number {
  if (revision > 0) return revision;
  throw new TocsinError('unavailable', 'The broker acknowledged a value without a revision. Try again.');
}

async function unlessLostRace<T>(write: Promise<T>): Promise<T | undefined> {
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
