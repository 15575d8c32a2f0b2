import { Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { CONFIG } from '@tocsin/service';
import { HistoryService } from './history/history.service.ts';
import type { IncidentsConfig } from './incidents.config.ts';
import { Rounds } from './rounds.ts';
import { SweepService } from './sweep/sweep.service.ts';

const BEAT_MS = 1_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const GAUGES_MS = 10_000;
const COVERAGE_MS = 30_000;

/** What this service does by itself, again and again. */
@Injectable()
export class Loops implements OnApplicationBootstrap {
  constructor(
    private readonly sweep: SweepService,
    private readonly history: HistoryService,
    private readonly rounds: Rounds,
    @Inject(CONFIG) private readonly config: IncidentsConfig,
  ) {}

  onApplicationBootstrap(): void {
    // Rounds of their own: a sweep that takes long is no standstill.
    this.rounds.every(BEAT_MS, 'beat', () => Promise.resolve(this.sweep.beat()));
    this.rounds.every(this.config.sweepMs, 'sweep', () => this.sweep.run());
    // Rounds of their own: what is read for a gauge must not hold up, or fail, what alerts hang on.
    this.rounds.every(GAUGES_MS, 'gauges', () => this.sweep.readGauges());
    this.rounds.every(COVERAGE_MS, 'coverage', () => this.sweep.countUnaccounted());
    this.rounds.every(this.config.rollupMs, 'roll-ups', () => this.history.rollUp());
    this.rounds.every(MINUTE_MS, 'indexes', () => this.history.index());
    this.rounds.every(HOUR_MS, 'history', () => this.history.maintain());
  }
}
