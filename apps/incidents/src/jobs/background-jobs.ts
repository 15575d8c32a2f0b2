import { Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { CONFIG } from '@tocsin/service';
import { HistoryService } from '../history/history.service.ts';
import type { IncidentsConfig } from '../incidents.config.ts';
import { PeriodicJobs } from './periodic-jobs.ts';
import { SweepService } from '../sweep/sweep.service.ts';

const TICK_MS = 1_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const GAUGES_MS = 10_000;
const COVERAGE_MS = 30_000;

/** Starts the periodic work of the sweep and of the history. */
@Injectable()
export class BackgroundJobs implements OnApplicationBootstrap {
  constructor(
    private readonly sweep: SweepService,
    private readonly history: HistoryService,
    private readonly jobs: PeriodicJobs,
    @Inject(CONFIG) private readonly config: IncidentsConfig,
  ) {}

  onApplicationBootstrap(): void {
    // A job of its own: a sweep that takes long is no standstill.
    this.jobs.every(TICK_MS, 'clock', () => Promise.resolve(this.sweep.tick()));
    this.jobs.every(this.config.sweepMs, 'sweep', () => this.sweep.run());
    // Jobs of their own: a slow or failing read for a gauge must not delay the sweep, on which alerts depend.
    this.jobs.every(GAUGES_MS, 'gauges', () => this.sweep.readGauges());
    this.jobs.every(COVERAGE_MS, 'coverage', () => this.sweep.countUnaccounted());
    this.jobs.every(this.config.rollupMs, 'roll-ups', () => this.history.rollUp());
    this.jobs.every(MINUTE_MS, 'indexes', () => this.history.index());
    this.jobs.every(HOUR_MS, 'history', () => this.history.maintain());
  }
}
