import { Cron } from 'croner';
import { WallClock } from './wall-clock.ts';

const DAY_MS = 86_400_000;
/** cron(8) of Debian: a change of the clocks by less than this is one of daylight saving. */
const SAVING_MS = 3 * 3_600_000;

/**
 * A cron expression in a time zone, as Debian's cron runs it, crontab(5) and cron(8):
 *
 * - A day field that begins with `*` has both day fields hold; else either of the two will do.
 * - A job whose hour or minute begins with `*` follows the clock on the wall. Any other runs once in an hour that the
 *   clock repeats, and at once after one that it skips.
 *
 * Also taken: seconds before the minute, names, `L`, `W`, `#`, `?` for `*`, 7 for Sunday, `@daily` and its like.
 */
export class CronSchedule {
  private readonly cron: Cron;
  private readonly clock: WallClock;
  private readonly followsClock: boolean;

  /** @throws Error that says what is wrong with the expression; RangeError for a zone that there is not */
  constructor(expression: string, timeZone: string) {
    const fields = expression.trim().split(/\s+/);
    const [minute = '', hour = '', day = '', , weekday = ''] = fields.length > 5 ? fields.slice(1) : fields;
    const nickname = expression.trim().startsWith('@');
    this.followsClock = nickname ? /^@hourly$/i.test(expression.trim()) : isWild(minute) || isWild(hour);
    this.clock = new WallClock(timeZone);
    // It knows readings of the clock alone, as if they were UTC; what becomes of them in the zone is said here.
    const domAndDow = nickname || isWild(day) || isWild(weekday);
    this.cron = new Cron(expression, { timezone: 'UTC', paused: true, domAndDow, mode: '5-or-6-parts' });
  }

  /** The next time after an instant, in milliseconds since the epoch; undefined where there is none. */
  next(after: number): number | undefined {
    return this.followsClock ? this.nextByClock(after + 1) : this.nextOnce(after);
  }

  /** Up to `count` times after an instant. */
  upcoming(after: number, count: number): number[] {
    const times: number[] = [];
    for (let at = this.next(after); at !== undefined && times.length < count; at = this.next(at)) times.push(at);
    return times;
  }

  /** For a job at a fixed time, the clock is where it has been already, until it gets further. */
  private nextOnce(after: number): number | undefined {
    const { clock } = this;
    const before = after - SAVING_MS;
    const isSetBack = clock.offset(after) < clock.offset(before);
    const furthest = isSetBack ? clock.reading(clock.change(before, after) - 1) : 0;
    const due = this.readingFrom(Math.max(furthest, clock.reading(after)) + 1);
    return due === undefined ? undefined : clock.firstAt(due);
  }

  /** For a job that follows the clock, each stretch between two changes of it stands for itself. */
  private nextByClock(from: number): number | undefined {
    const { clock } = this;
    for (let at = from; ;) {
      const due = this.readingFrom(clock.reading(at));
      if (due === undefined) return undefined;
      const offset = clock.offset(at);
      if (offset !== clock.offset(at + DAY_MS)) {
        const change = clock.change(at, at + DAY_MS);
        if (due - offset < change) return due - offset;
        at = change;
        continue;
      }
      if (due - offset <= at + DAY_MS) return due - offset;
      const first = clock.firstAt(due);
      if (clock.reading(first) === due) return first;
      at = first;
    }
  }

  /** The first reading from this one on at which the expression holds. */
  private readingFrom(reading: number): number | undefined {
    return this.cron.nextRun(new Date(reading - 1))?.getTime();
  }
}

function isWild(field: string): boolean {
  return field.startsWith('*') || field.startsWith('?');
}
