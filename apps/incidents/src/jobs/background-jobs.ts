import { Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { spread } from '@tocsin/core';
import { CONFIG, Periodic } from '@tocsin/service';
import { HistoryService } from '../history/history.service.ts';
import type { IncidentsConfig } from '../incidents.config.ts';
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
    private readonly periodic: Periodic,
    @Inject(CONFIG) private readonly config: IncidentsConfig,
  ) {}

  onApplicationBootstrap(): void {
    // A job of its own: a sweep that takes long is no standstill.
    this.every(TICK_MS, 'clock', () => Promise.resolve(this.sweep.tick()));
    this.every(this.config.sweepMs, 'sweep', () => this.sweep.run());
    // Jobs of their own: a slow or failing read for a gauge must not delay the sweep, on which alerts depend.
    this.every(GAUGES_MS, 'gauges', () => this.sweep.readGauges());
    this.every(COVERAGE_MS, 'coverage', () => this.sweep.countUnaccounted());
    this.every(this.config.rollupMs, 'roll-ups', () => this.history.rollUp());
    this.every(MINUTE_MS, 'indexes', () => this.history.index());
    this.every(HOUR_MS, 'history', () => this.history.maintain());
  }

  private every(periodMs: number, name: string, job: () => Promise<unknown>): void {
    this.periodic.every(spread(periodMs), name, job);
  }
}
