import { Inject, Injectable } from '@nestjs/common';
import type { Aged, Rollup, UptimeReport } from '@tocsin/contracts';
import { type Clock, coverageOf, dueIn, type Span, Stretches, TocsinError, unsettledIn } from '@tocsin/core';
import { CLOCK } from '@tocsin/service';
import { Answers } from './answers.ts';
import { CoverageReports } from './coverage.ts';
import { questionOf, type Range as Stretch, requireRange } from './range.ts';
import { Records } from './records.ts';
import { Sums } from './sums.ts';
import { type Progress, segments } from './segments.ts';
import * as sql from './reports.sql.ts';
import { type Uptimes, uptimesIn } from './uptimes.ts';

type Range = Stretch & { monitorId: string };

/** More buckets than this are more than anybody draws. */
const BUCKETS_MAX = 5_000;
/** Most buckets that are not rolled up yet and are computed for an answer. */
const FRESH_MAX = 50;
const KEPT = { tag: 'history', ttlMs: 5_000, loadMs: 4_000 } as const;

/** What the past says: uptime, coverage and latency over a range, whole or in buckets. */
@Injectable()
export class Reports {
  constructor(
    private readonly records: Records,
    private readonly answers: Answers,
    private readonly coverage: CoverageReports,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** @throws TocsinError `invalid` when `to` is not after `from`; `not_found` for a monitor that nothing is known of */
  async uptime(range: Range): Promise<Aged<UptimeReport>> {
    requireRange(range);
    return this.answers.aged('uptime', this.question(range), KEPT, () => this.report(range));
  }

  /** @throws TocsinError `invalid` for a range with too many buckets; `not_found` for a monitor that nothing is known of */
  async rollups(query: Range & { seconds: 300 | 3_600 | 86_400 }): Promise<Aged<{ items: Rollup[] }>> {
    requireRange(query);
    if ((query.to - query.from) / (query.seconds * 1_000) > BUCKETS_MAX) {
      throw new TocsinError('invalid', `The range holds more than ${BUCKETS_MAX} buckets; ask for coarser ones.`, {
        fields: [{ path: '/seconds', message: `would give more than ${BUCKETS_MAX} buckets` }],
      });
    }
    const question = [this.question(query), query.seconds];
    return this.answers.aged('rollups', question, KEPT, async () => ({ items: await this.buckets(query) }));
  }

  /** Up to where roll-ups are complete. */
  async progress(): Promise<Progress> {
    const rows = await this.records.read<{ seconds: number; done_until: number }>('rollup progress', sql.PROGRESS, []);
    const at = (seconds: number): number | undefined => rows.find((row) => row.seconds === seconds)?.done_until;
    return { done300: at(300), done3600: at(3_600), done86400: at(86_400) };
  }

  private question(range: Range): unknown {
    return [range.monitorId, questionOf(range, this.clock)];
  }

  private async report(range: Range): Promise<UptimeReport> {
    const { monitorId, from, to } = range;
    const progress = await this.progress();
    const [sums, { coverage }, uptimes] = await Promise.all([
      this.sum(range, progress),
      this.coverage.count(range),
      uptimesIn(this.records, range),
    ]);
    const end = Math.min(to, this.clock.now());
    const checks = sums.checks(uptimes.byTime ? coverage.missed : 'all');
    const uptime = uptimes.uptime(checks, from, end);
    const down = new Stretches(uptimes.incidents.filter(({ state }) => state === 'down').map(sql.stretchOf));
    return {
      monitorId,
      from,
      to,
      ...(uptime === undefined ? {} : { uptime }),
      checks,
      incidents: uptimes.incidents.length,
      downMs: down.within(from, end),
      coverage,
      latency: sums.latency(),
    };
  }

  private async buckets(query: Range & { seconds: 300 | 3_600 | 86_400 }): Promise<Rollup[]> {
    const { monitorId, from, to, seconds } = query;
    const lengthMs = seconds * 1_000;
    const first = Math.ceil(from / lengthMs) * lengthMs;
    const progress = await this.progress();
    const done = progress[`done${seconds}`] ?? first;
    const range = [monitorId, seconds, first, Math.min(to, done)];
    const [rows, spans, uptimes] = await Promise.all([
      this.records.read<sql.RollupRow>('rollups', sql.ROLLUPS, range),
      this.spans(query),
      uptimesIn(this.records, query),
    ]);
    const rolled = new Map(rows.map((row) => [row.bucket_at, Sums.of([row], [])]));
    const now = this.clock.now();
    const items: Rollup[] = [];
    for (let at = first, fresh = 0; at < Math.min(to, now) && fresh < FRESH_MAX; at += lengthMs) {
      if (at >= done) fresh += 1;
      const sums = at < done ? rolled.get(at) : await this.sum({ monitorId, from: at, to: at + lengthMs }, progress);
      const item = bucketOf({ from: at, seconds }, sums ?? new Sums(), { spans, uptimes, now });
      const isWatched = uptimes.isWatched(at, Math.min(at + lengthMs, now));
      if (item.coverage.due > 0 || isWatched || sums?.isEmpty() === false) items.push(item);
    }
    return items;
  }

  private async sum({ monitorId, from, to }: Range, progress: Progress): Promise<Sums> {
    const parts = segments(from, to, progress);
    const read = parts.map(async (part) =>
      part.level === 'raw'
        ? { raw: await this.records.read<sql.RawRow>('results sums', sql.RAW, [monitorId, part.from, part.to]) }
        : {
            rolled: await this.records.read<sql.RollupRow>('rollups', sql.ROLLUPS, [
              monitorId,
              part.level,
              part.from,
              part.to,
            ]),
          },
    );
    const found = await Promise.all(read);
    return Sums.of(found.flatMap(({ rolled }) => rolled ?? []), found.flatMap(({ raw }) => raw ?? [])); // prettier-ignore
  }

  private async spans({ monitorId, from, to }: Range): Promise<Span[]> {
    return (await this.records.read<sql.SpanRow>('spans', sql.SPANS, [monitorId, from, to])).map(sql.spanOf);
  }
}

/** A bucket of the last minutes may hold windows that are not settled; up to their number, what is absent is pending. */
function bucketOf(
  { from, seconds }: { from: number; seconds: number },
  sums: Sums,
  { spans, uptimes, now }: { spans: readonly Span[]; uptimes: Uptimes; now: number },
): Rollup {
  const to = Math.min(from + seconds * 1_000, now);
  const { due, excused } = dueIn(spans, from, to);
  // Without a grid what is rolled up are pings, which have no part in coverage.
  const outcomes = due > 0 ? sums.outcomes(excused) : NO_OUTCOMES;
  const absent = due - outcomes.ran - outcomes.late - outcomes.missed - outcomes.excused;
  const pending = Math.max(0, Math.min(absent, unsettledIn(spans, from, to, now)));
  const checks = sums.checks(uptimes.byTime && due === 0 ? 0 : 'all');
  const uptime = uptimes.uptime(checks, from, to);
  return {
    from,
    seconds,
    ...(uptime === undefined ? {} : { uptime }),
    ...checks,
    coverage: coverageOf(outcomes, { due, pending }),
    latency: sums.latency(),
  };
}

const NO_OUTCOMES = { ran: 0, late: 0, missed: 0, excused: 0 };
