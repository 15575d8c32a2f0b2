import { Controller } from '@nestjs/common';
import { requests } from '@tocsin/contracts';
import { Answers } from '@tocsin/messaging';
import type { z } from 'zod';
import { CoverageReports } from './coverage.ts';
import { Reports } from './reports.ts';
import { Results } from './results.ts';
import { Tallies } from './tallies.ts';

type Input<K extends keyof typeof requests> = z.output<(typeof requests)[K]['input']>;
type Output<K extends keyof typeof requests> = Promise<z.output<(typeof requests)[K]['output']>>;

/** What is asked about the past. */
@Controller()
export class HistoryController {
  constructor(
    private readonly history: Results,
    private readonly reports: Reports,
    private readonly coverages: CoverageReports,
    private readonly counted: Tallies,
  ) {}

  @Answers(requests.results)
  results(input: Input<'results'>): Output<'results'> {
    return this.history.list(input);
  }

  @Answers(requests.rollups)
  rollups(input: Input<'rollups'>): Output<'rollups'> {
    return this.reports.rollups(input);
  }

  @Answers(requests.uptime)
  uptime(input: Input<'uptime'>): Output<'uptime'> {
    return this.reports.uptime(input);
  }

  @Answers(requests.coverage)
  coverage(input: Input<'coverage'>): Output<'coverage'> {
    return this.coverages.report(input);
  }

  @Answers(requests.tallies)
  tallies(input: Input<'tallies'>): Output<'tallies'> {
    return this.counted.list(input);
  }
}
