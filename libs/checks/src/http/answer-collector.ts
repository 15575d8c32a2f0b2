import { CheckFailure } from '../failure.ts';
import type { Run } from '../run.ts';
import { bytes } from '../message-text.ts';
import { BodyBuffer } from './body-buffer.ts';
import type { Framing } from './message/framing.ts';
import type { ResponseHead } from './message/head.ts';
import type { ResponseHeaders } from './message/headers.ts';
import type { Reading } from './message/response-reader.ts';

export interface Answer {
  status: number;
  headers: ResponseHeaders;
  /** The body as it was sent (still compressed); empty when nobody wanted it. */
  body: Buffer;
  /** Whether that is all of it. */
  whole: boolean;
}

/** What is wanted of a body: nothing; all of it, kept or only counted; or its beginning, whatever becomes of the rest. */
export type BodyWish =
  | { take: 'none' }
  | { take: 'all'; maxBytes: number; keep: boolean }
  | { take: 'start'; maxBytes: number; withinMs: number };

interface Settled {
  wish: (head: ResponseHead) => BodyWish;
  done: (answer: Answer) => void;
  fail: (error: unknown) => void;
}

/** Takes one answer in, within its bounds, and says how long each part of it took. */
export class AnswerCollector implements Reading {
  private readonly sentAt: number;
  private firstByteAt: number | undefined;
  private taken: ResponseHead | undefined;
  private wish: BodyWish = { take: 'none' };
  private buffer: BodyBuffer | undefined;
  private length = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly run: Run,
    private readonly settled: Settled,
  ) {
    this.sentAt = run.context.clock.monotonic();
    run.phase = 'waiting for the first byte';
  }

  /** Whether any byte of the answer has come. */
  get begun(): boolean {
    return this.firstByteAt !== undefined;
  }

  /** Whether nothing more is wanted, though the answer may go on. */
  get enough(): boolean {
    return this.wish.take === 'start' && this.length >= this.wish.maxBytes;
  }

  /** Bytes have come. */
  begin(): void {
    if (this.firstByteAt !== undefined) return;
    this.firstByteAt = this.run.context.clock.monotonic();
    this.run.spent('firstByteMs', this.firstByteAt - this.sentAt);
    this.run.phase = 'reading the headers';
  }

  /** @throws CheckFailure `body` for a length beyond the bound: such a body is not read */
  head(head: ResponseHead, framing: Framing): boolean {
    this.taken = head;
    this.run.facts.statusCode = head.status;
    this.run.phase = 'reading the body';
    const wish = (this.wish = this.settled.wish(head));
    if (wish.take === 'none' || this.enough) return false;
    if (wish.take === 'start') this.timer = setTimeout(() => this.finish(false), wish.withinMs);
    else if (typeof framing === 'number' && framing > wish.maxBytes) throw tooLarge(wish.maxBytes);
    if (wish.take === 'start' || wish.keep) {
      const buffer = (this.buffer = new BodyBuffer(wish.maxBytes));
      this.run.atEnd(() => buffer.release());
    }
    return true;
  }

  /** @throws CheckFailure `body` beyond the bound, `resources` beyond what this process may hold */
  body(part: Buffer): void {
    const wish = this.wish;
    if (wish.take === 'none') return;
    const room = wish.maxBytes - this.length;
    this.length += part.length;
    if (part.length <= room) this.buffer?.append(part);
    else if (wish.take === 'all') throw tooLarge(wish.maxBytes);
    else if (room > 0) this.buffer?.append(part.subarray(0, room));
  }

  /** The answer is over, or known as well as was wanted. */
  finish(over: boolean): void {
    const { status, headers } = this.taken!;
    this.run.spent('transferMs', this.run.context.clock.monotonic() - this.firstByteAt!);
    const body = this.buffer?.bytes ?? EMPTY;
    this.settled.done({ status, headers, body, whole: over && body.length === this.length });
  }

  /** It broke. Whoever wanted its beginning has that. */
  break(error: unknown): void {
    if (this.wish.take === 'start') this.finish(false);
    else this.settled.fail(error);
  }

  stop(): void {
    clearTimeout(this.timer);
  }
}

/** The failure of a body over its bound, sent or unpacked. */
export function tooLarge(maxBytes: number, after = ''): CheckFailure {
  return new CheckFailure('body', `body: larger than ${bytes(maxBytes)}${after}`);
}

const EMPTY = Buffer.alloc(0);
