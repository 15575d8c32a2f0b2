import { Inject, Injectable } from '@nestjs/common';
import type { Aged, CoverageReport } from '@tocsin/contracts';
import { type Clock, coverageOf } from '@tocsin/core';
import { CLOCK } from '@tocsin/service';
import { Answers } from './answers.ts';
import { requireKnown } from './known.ts';
import { questionOf, type Range, requireRange } from './range.ts';
import { Records } from './records.ts';
import { COVERAGE, COVERAGE_OF, type CoverageRow } from './reports.sql.ts';

const KEPT = { tag: 'history', ttlMs: 5_000, loadMs: 4_000 } as const;

/** How due windows ended, of one monitor or of all. */
@Injectable()
export class CoverageReports {
  constructor(
    private readonly records: Records,
    private readonly answers: Answers,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** @throws TocsinError `invalid` when `to` is not after `from`; `not_found` for a monitor that nothing is known of */
  async report(query: Range & { monitorId?: string | undefined }): Promise<Aged<CoverageReport>> {
    requireRange(query);
    const question = [query.monitorId ?? null, questionOf(query, this.clock)];
    return this.answers.aged('coverage', question, KEPT, async () => {
      const report = await this.count(query);
      const { due, ran, late, missed } = report.coverage;
      const isEmpty = due + ran + late + missed === 0;
      if (isEmpty && query.monitorId !== undefined) await requireKnown(this.records, query.monitorId);
      return report;
    });
  }

  /** The same, counted now. */
  async count({ monitorId, from, to }: Range & { monitorId?: string | undefined }): Promise<CoverageReport> {
    const range = [from, to, this.clock.now()];
    const [row] =
      monitorId === undefined
        ? await this.records.read<CoverageRow>('coverage', COVERAGE, range)
        : await this.records.read<CoverageRow>('coverage of', COVERAGE_OF, [monitorId, ...range]);
    const { from_at, until_at, due, paused, pending, ran, late, missed, excused } = row ?? NOTHING;
    const coverage = coverageOf({ ran, late, missed, excused: excused + paused }, { due, pending });
    return { from: from_at, to: until_at, coverage };
  }
}

const NOTHING: CoverageRow = {
  from_at: 0,
  until_at: 0,
  due: 0,
  paused: 0,
  ran: 0,
  late: 0,
  missed: 0,
  excused: 0,
  pending: 0,
};
