import { request } from 'node:http';
import type { Range } from '../trial/oracle/range.ts';

const EVERY_MS = 50;
/** Of a question that nobody answered; another one has long been asked. */
const PATIENCE_MS = 400;
/** Answers kept, the newest: some hours of them. */
const MOST_KEPT = 400_000;

/**
 * Asks the balancer behind the floating address again and again, each time on a connection of its own, so that the longest time
 * without an answer is how long the address was away.
 */
export class AddressWatch {
  private readonly answers: number[] = [];
  private readonly timer: NodeJS.Timeout;

  /** @param url of something that the balancer answers by itself */
  constructor(private readonly url: string) {
    this.timer = setInterval(() => this.ask(), EVERY_MS);
  }

  /** The longest time in a range between two answers, in ms. */
  worstGapMs({ from, to }: Range): number {
    return longestGap(this.answers, { from, to });
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private ask(): void {
    const asked = request(this.url, { agent: false, signal: AbortSignal.timeout(PATIENCE_MS) }, (response) => {
      response.resume();
      this.answers.push(Date.now());
      if (this.answers.length > MOST_KEPT) this.answers.splice(0, MOST_KEPT / 10);
    });
    asked.on('error', () => undefined);
    asked.end();
  }
}

/** The longest stretch of a range in which none of the times lies; they are in order. */
export function longestGap(times: readonly number[], { from, to }: Range): number {
  const within = times.filter((time) => time >= from && time < to);
  const marks = [from, ...within, to];
  return Math.max(...marks.slice(1).map((mark, i) => mark - marks[i]!));
}
