/**
 * What crontab(5) and cron(8) of Debian say, said once more as plainly as it can be: a clock is read every minute, and
 * jobs are run. Nothing here is shared with the rules themselves, and nothing is fast.
 */
export class PlainCron {
  private readonly fields: { text: string; values: Set<number> }[];

  /** @param expression five fields of numbers, ranges, steps and lists */
  constructor(expression: string) {
    const bounds = [[0, 59], [0, 23], [1, 31], [1, 12], [0, 7]] as const; // prettier-ignore
    this.fields = expression.split(' ').map((text, n) => ({ text, values: valuesOf(text, bounds[n]!) }));
    const weekdays = this.fields[4]!.values;
    if (weekdays.has(7)) weekdays.add(0);
  }

  /** "Only jobs that run at a particular time (not … with '*' in the hour or minute specifier) are affected." */
  get isWild(): boolean {
    return this.fields.slice(0, 2).some(({ text }) => text.startsWith('*'));
  }

  /** Whether a job is due in the minute that a clock shows, written as if it were UTC. */
  matches(shown: number): boolean {
    const date = new Date(shown);
    const [minute, hour, day, month, weekday] = [
      date.getUTCMinutes(),
      date.getUTCHours(),
      date.getUTCDate(),
      date.getUTCMonth() + 1,
      date.getUTCDay(),
    ].map((value, n) => this.fields[n]!.values.has(value)) as [boolean, boolean, boolean, boolean, boolean];
    const both = this.fields[2]!.text.startsWith('*') || this.fields[4]!.text.startsWith('*');
    return minute && hour && month && (both ? day && weekday : day || weekday);
  }

  /** When it is run. @param shown what the clock shows at each minute from `start` on */
  runs(start: number, shown: readonly number[]): number[] {
    const at: number[] = [];
    let caughtUp = shown[0]!;
    shown.forEach((now, n) => {
      if (n === 0) return;
      let due = this.isWild && this.matches(now);
      for (; caughtUp < now;) {
        caughtUp += 60_000;
        due ||= !this.isWild && this.matches(caughtUp);
      }
      if (due) at.push(start + n * 60_000);
    });
    return at;
  }
}

function valuesOf(text: string, [least, most]: readonly [number, number]): Set<number> {
  const values = new Set<number>();
  for (const part of text.split(',')) {
    const [range = '', step = '1'] = part.split('/');
    const [from, to = from] = range === '*' ? [least, most] : range.split('-').map(Number);
    for (let value = from!; value <= to!; value += Number(step)) values.add(value);
  }
  return values;
}
