import { Inject, Injectable } from '@nestjs/common';
import type { Rollup, UptimeReport } from '@tocsin/contracts';
import { type Clock, coverageOf, coveredMs, dueIn, type Outcomes as Ended, TocsinError, uptimeOf } from '@tocsin/core';
import { CLOCK } from '@tocsin/service';
import { type Aged, Answers } from './answers.ts';
import { Records } from './records.ts';
import { Sums } from './sums.ts';
import { type Progress, segments } from './segments.ts';
import * as sql from './reports.sql.ts';

export type Outcomes = Ended;

interface Range {
  monitorId: string;
  from: number;
  to: number;
}

/** More buckets than this are more than anybody draws. */
const BUCKETS_MAX = 5_000;
/** Most buckets that are not rolled up yet and are computed for an answer. */
const FRESH_MAX = 50;
const LIVE_MS = 60_000;
const KEPT = { tag: 'history', ttlMs: 5_000, loadMs: 4_000 } as const;

/** What the past says: uptime, coverage and latency over a range, whole or in buckets. */
@Injectable()
export class Reports {
  constructor(
    private readonly records: Records,
    private readonly answers: Answers,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** @throws TocsinError `invalid` when `to` is not after `from` */
  async uptime(range: Range): Promise<Aged<UptimeReport>> {
    check(range);
    return this.answers.aged('uptime', this.question(range), KEPT, () => this.report(range));
  }

  /** @throws TocsinError `invalid` for a range with too many buckets */
  async rollups(query: Range & { seconds: 300 | 3_600 | 86_400 }): Promise<Aged<{ items: Rollup[] }>> {
    check(query);
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

  /** A range that ends now is the same question a second later; the answer says which range it is of. */
  private question({ monitorId, from, to }: Range): unknown {
    return Math.abs(this.clock.now() - to) < LIVE_MS ? [monitorId, to - from, 'now'] : [monitorId, from, to];
  }

  private async report(range: Range): Promise<UptimeReport> {
    const { monitorId, from, to } = range;
    const progress = await this.progress();
    const [sums, spans, incidents] = await Promise.all([
      this.sum(range, progress),
      this.excusedSpans(range),
      this.records.read<sql.IncidentSpan>('uptime incidents', sql.INCIDENTS, [monitorId, from, to]),
    ]);
    const end = Math.min(to, this.clock.now());
    const uptime = uptimeOf(sums.checks());
    return {
      monitorId,
      from,
      to,
      ...(uptime === undefined ? {} : { uptime }),
      checks: sums.checks(),
      incidents: incidents.length,
      downMs: coveredMs(incidents.filter(({ state }) => state === 'down').map(sql.stretchOf), from, end),
      coverage: coverageOf(sums.outcomes(dueIn(spans, from, end).excused)),
      latency: sums.latency(),
    };
  }

  private async buckets({
    monitorId,
    from,
    to,
    seconds,
  }: Range & { seconds: 300 | 3_600 | 86_400 }): Promise<Rollup[]> {
    const lengthMs = seconds * 1_000;
    const first = Math.ceil(from / lengthMs) * lengthMs;
    const progress = await this.progress();
    const done = progress[`done${seconds}`] ?? first;
    const rows = await this.records.read<sql.RollupRow>('rollups', sql.ROLLUPS, [
      monitorId,
      seconds,
      first,
      Math.min(to, done),
    ]);
    const spans = await this.excusedSpans({ monitorId, from, to });
    const now = this.clock.now();
    const excused = (at: number): number => dueIn(spans, at, Math.min(at + lengthMs, now)).excused;
    const items = rows.map((row) => bucketOf(row.bucket_at, seconds, Sums.of([row], []), excused(row.bucket_at)));
    for (let at = Math.max(first, done), n = 0; at < Math.min(to, now) && n < FRESH_MAX; at += lengthMs, n += 1) {
      const sums = await this.sum({ monitorId, from: at, to: at + lengthMs }, progress);
      if (!sums.isEmpty()) items.push(bucketOf(at, seconds, sums, excused(at)));
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

  private async excusedSpans({ monitorId, from, to }: Range) {
    return (await this.records.read<sql.SpanRow>('excused spans', sql.EXCUSED, [monitorId, from, to])).map(sql.spanOf);
  }
}

function bucketOf(from: number, seconds: number, sums: Sums, excused: number): Rollup {
  return { from, seconds, ...sums.checks(), coverage: coverageOf(sums.outcomes(excused)), latency: sums.latency() };
}

function check({ from, to }: Range): void {
  if (to > from) return;
  throw new TocsinError('invalid', 'The range is empty: `to` must be after `from`.', {
    fields: [{ path: '/to', message: 'must be after from' }],
  });
}
