import { Controller } from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';
import { requests } from '@tocsin/contracts';
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

  @MessagePattern(requests.results.subject)
  results(@Payload() input: Input<'results'>): Output<'results'> {
    return this.history.list(input);
  }

  @MessagePattern(requests.rollups.subject)
  rollups(@Payload() input: Input<'rollups'>): Output<'rollups'> {
    return this.reports.rollups(input);
  }

  @MessagePattern(requests.uptime.subject)
  uptime(@Payload() input: Input<'uptime'>): Output<'uptime'> {
    return this.reports.uptime(input);
  }

  @MessagePattern(requests.coverage.subject)
  coverage(@Payload() input: Input<'coverage'>): Output<'coverage'> {
    return this.coverages.report(input);
  }

  @MessagePattern(requests.tallies.subject)
  tallies(@Payload() input: Input<'tallies'>): Output<'tallies'> {
    return this.counted.list(input);
  }
}
