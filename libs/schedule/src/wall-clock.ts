const DAY_MS = 86_400_000;
/** Formatters are slow to make. There are some 600 zones; names of offsets such as +05:30 are many more. */
const FORMATS_MAX = 1_000;
const formats = new Map<string, Intl.DateTimeFormat>();

/** Whether a name is that of a time zone in the IANA database. */
export function isTimeZone(name: string): boolean {
  try {
    return formatOf(name) !== undefined;
  } catch {
    return false;
  }
}

/**
 * The clock on the wall in a time zone. What it reads is written as if it read UTC, in milliseconds, so that readings can
 * be compared. An instant is in milliseconds since the epoch.
 */
export class WallClock {
  private readonly format: Intl.DateTimeFormat;

  /** @throws RangeError for a zone that there is not */
  constructor(timeZone: string) {
    this.format = formatOf(timeZone);
  }

  /** What the clock reads at an instant. */
  reading(at: number): number {
    return at + this.offset(at);
  }

  /** The first instant at which the clock reads this or more: where it jumps over a reading, the instant of the jump. */
  firstAt(reading: number): number {
    // No zone is further from UTC than 15 h, so the instant lies between these two, and at most one change does.
    const from = reading - DAY_MS;
    const before = this.offset(from);
    const after = this.offset(reading + DAY_MS);
    if (before === after) return reading - before;
    const change = this.change(from, reading + DAY_MS);
    if (reading - before < change) return reading - before;
    return Math.max(change, reading - after);
  }

  /** The first instant after `from`, up to `to`, from which on the clock is as far from UTC as at `to`. */
  change(from: number, to: number): number {
    const offset = this.offset(to);
    let [before, at] = [Math.floor(from / 1_000), Math.ceil(to / 1_000)];
    while (at - before > 1) {
      const middle = Math.floor((before + at) / 2);
      if (this.offset(middle * 1_000) === offset) at = middle;
      else before = middle;
    }
    return at * 1_000;
  }

  /** How far the clock is ahead of UTC at an instant. */
  offset(at: number): number {
    const second = Math.floor(at / 1_000) * 1_000;
    return Date.parse(`${this.format.format(second).replace(' ', 'T')}Z`) - second;
  }
}

function formatOf(timeZone: string): Intl.DateTimeFormat {
  let format = formats.get(timeZone);
  if (!format) {
    // Sweden writes 2026-10-25 02:30:00.
    format = new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'medium' });
    if (formats.size >= FORMATS_MAX) formats.clear();
    formats.set(timeZone, format);
  }
  return format;
}
