import { TocsinError, systemClock } from '@tocsin/core';
import { JetStreamApiError, type MsgRequest, type NextMsgRequest, type StoredMsg } from '@nats-io/jetstream';
import { isSignedBy, proofOf } from '../wire/command-proof.ts';
import type { Connection } from '../client/connection.ts';
import { DEADLETTERS_STREAM } from '../contract.ts';
import type { ReceivedDelivery } from './delivery.ts';
import { HEADER } from '../wire/names.ts';
import { counters } from '../wire/metrics.ts';
import type { Publisher } from '../client/publisher.ts';

const MAX_LIST = 500;
/** JSON may need six bytes for one, and the broker takes a megabyte. */
const MAX_KEPT_BYTES = 128 * 1_024;

/** A message that no retry could carry out, with all that is needed to understand it and to drive it again. */
export interface DeadLetter {
  /** Its place in the dead letters; what `read`, `redrive` and `discard` take. */
  sequence: number;
  stream: string;
  durable: string;
  subject: string;
  originalSequence: number;
  headers: Record<string, string>;
  code: string;
  reason: string;
  message: string;
  deliveries: number;
  /** When it became a dead letter, ms since the epoch. */
  at: number;
  /** The payload as text; base64 if it is not valid UTF-8. */
  payload: string;
  /** Present if the payload was too large to keep whole; it can't be driven again then. */
  truncated?: true;
  encoding: 'utf8' | 'base64';
}

/** Why a message becomes a dead letter. */
export interface DeadLetterCause {
  stream: string;
  durable: string;
  code: string;
  reason: string;
  message: string;
}

/** The dead letters: list, read, drive again, discard. */
export class DeadLetters {
  constructor(
    private readonly connection: Connection,
    private readonly publisher: Publisher,
  ) {}

  /** Stores a delivery as a dead letter. Repeated calls store it once. */
  async add(delivery: ReceivedDelivery, cause: DeadLetterCause): Promise<void> {
    const text = asText(delivery.msg.data);
    const letter: Omit<DeadLetter, 'sequence'> = {
      stream: cause.stream,
      durable: cause.durable,
      subject: delivery.subject,
      originalSequence: delivery.sequence,
      headers: delivery.headers,
      code: cause.code,
      reason: cause.reason,
      message: cause.message.slice(0, 2_000),
      deliveries: delivery.deliveries,
      at: systemClock.now(),
      ...text,
    };
    const id = `dead.${cause.stream}.${cause.durable}.${delivery.sequence}.${delivery.publishedAt}`;
    await this.publisher.publish(`deadletters.${cause.stream}.${cause.durable}`, letter, { id });
    counters.deadLetters.add(1, { durable: cause.durable, reason: cause.reason });
  }

  /**
   * Newest first. `before` is the sequence of the last one of the previous page. Only the last page has fewer than `limit`
   * (500 at most), even if some in between were driven again or discarded.
   */
  async list(o: { limit: number; before?: number | undefined }): Promise<DeadLetter[]> {
    const { state } = await this.connection.jsm.streams.info(DEADLETTERS_STREAM);
    const letters: DeadLetter[] = [];
    const limit = Math.min(o.limit, MAX_LIST);
    let before = Math.min(state.last_seq + 1, o.before ?? Number.POSITIVE_INFINITY);
    while (letters.length < limit) {
      const stored = await this.lastBefore(before, state.first_seq);
      if (!stored) break;
      letters.push(toLetter(stored));
      before = stored.seq;
    }
    return letters;
  }

  /** @throws TocsinError `not_found` if it was driven again or discarded meanwhile */
  async read(sequence: number): Promise<DeadLetter> {
    const stored = await this.stored(sequence);
    if (!stored) throw new TocsinError('not_found', `There is no dead letter ${sequence}.`);
    return toLetter(stored);
  }

  /**
   * Publishes the original message again, on its subject and with its headers, then removes the dead letter. Two calls store
   * the message once.
   */
  async redrive(sequence: number): Promise<void> {
    const letter = await this.read(sequence);
    const stream = this.connection.options.contract.streams.find(({ name }) => name === letter.stream);
    if (stream?.maxMessagesPerSubject !== undefined) {
      throw new TocsinError(
        'invalid',
        `${letter.stream} keeps the newest message of each subject: this one would replace it. The services that lack it read it there; discard this.`,
      );
    }
    if (letter.encoding !== 'utf8') throw new TocsinError('invalid', 'Its payload is not text. Discard it.');
    const { [HEADER.id]: _, ...headers } = letter.headers;
    try {
      JSON.parse(letter.payload);
    } catch (cause) {
      throw new TocsinError('invalid', 'Its payload is not JSON and would fail again. Discard it.', { cause });
    }
    const id = `redriven.${sequence}.${letter.at}`;
    const proof = this.signAgain(letter);
    await this.publisher.publish(letter.subject, new TextEncoder().encode(letter.payload), {
      id,
      headers: { ...headers, ...proof, [HEADER.redriven]: String(sequence) },
    });
    await this.remove(sequence);
  }

  /**
   * The headers that prove a command sent again. It is signed only if a gateway had signed it before. Otherwise a forged
   * command would become a true one when an admin drives it again.
   * @throws TocsinError `forbidden`
   */
  private signAgain({ subject, headers, payload }: DeadLetter): Record<string, string> {
    const keys = this.connection.options.commandKeys?.sign;
    if (!subject.startsWith('commands.') || !keys?.[0]) return {};
    const command = { subject, headers, payload: new TextEncoder().encode(payload) };
    if (isSignedBy(command, keys)) return proofOf(command, keys[0], systemClock.now());
    throw new TocsinError('forbidden', 'No gateway has signed this command, so it is not sent again. Discard it.');
  }

  /** Removes a dead letter for good. */
  async discard(sequence: number): Promise<void> {
    await this.read(sequence);
    await this.remove(sequence);
  }

  private async remove(sequence: number): Promise<void> {
    try {
      await this.connection.jsm.streams.deleteMessage(DEADLETTERS_STREAM, sequence, false);
    } catch (error) {
      // Two callers may remove it at once: the second one finds it gone.
      if (!(error instanceof JetStreamApiError) || (await this.stored(sequence)) !== null) throw error;
    }
  }

  /** The newest one before a sequence. The steps grow, so that a gap costs a few requests only. */
  private async lastBefore(sequence: number, first: number): Promise<StoredMsg | null> {
    let end = sequence;
    for (let step = 1; end > first; step *= 2) {
      const begin = Math.max(first, end - step);
      const found = await this.firstFrom(begin);
      if (found && found.seq < end) return this.lastWithin(found, end);
      end = begin;
    }
    return null;
  }

  /** The newest one from `found` on, before `end`. */
  private async lastWithin(found: StoredMsg, end: number): Promise<StoredMsg> {
    let last = found;
    let limit = end;
    while (last.seq + 1 < limit) {
      const middle = Math.ceil((last.seq + limit) / 2);
      const next = await this.firstFrom(middle);
      if (next && next.seq < limit) last = next;
      else limit = middle;
    }
    return last;
  }

  private firstFrom(sequence: number): Promise<StoredMsg | null> {
    // The client's type lacks what the broker takes: the first message of a subject from a sequence on.
    const query: NextMsgRequest = { seq: sequence, next_by_subj: 'deadletters.>' };
    return this.connection.jsm.streams.getMessage(DEADLETTERS_STREAM, query as MsgRequest & NextMsgRequest);
  }

  private async stored(sequence: number): Promise<StoredMsg | null> {
    return this.connection.jsm.streams.getMessage(DEADLETTERS_STREAM, { seq: sequence });
  }
}

function asText(payload: Uint8Array): Pick<DeadLetter, 'payload' | 'encoding' | 'truncated'> {
  if (payload.length > MAX_KEPT_BYTES) {
    return {
      payload: Buffer.from(payload.subarray(0, MAX_KEPT_BYTES)).toString('base64'),
      encoding: 'base64',
      truncated: true,
    };
  }
  try {
    return { payload: new TextDecoder('utf-8', { fatal: true }).decode(payload), encoding: 'utf8' };
  } catch {
    return { payload: Buffer.from(payload).toString('base64'), encoding: 'base64' };
  }
}

function toLetter(stored: StoredMsg): DeadLetter {
  return { ...stored.json<Omit<DeadLetter, 'sequence'>>(), sequence: stored.seq };
}
