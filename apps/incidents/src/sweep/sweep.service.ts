import { Injectable } from '@nestjs/common';
import { HeartbeatsService } from '../heartbeats/heartbeats.service.ts';
import { missedWindows, recorded, windows } from '../incidents.metrics.ts';
import { Road } from './road.ts';
import { StateSweep } from './state-sweep.ts';
import { PINGS_MS, SweepStore } from './sweep.store.ts';

const BATCH = 500;
/** Most batches of windows in one round. */
const ROUNDS_MAX = 10;

/**
 * Looks for what did not happen: windows that nobody answered, monitors that fell silent, confirmations and heartbeats
 * that did not come. Any instance may do it at any time: rows are claimed with SKIP LOCKED.
 */
@Injectable()
export class SweepService {
  constructor(
    private readonly sweeps: SweepStore,
    private readonly states: StateSweep,
    private readonly heartbeats: HeartbeatsService,
    private readonly road: Road,
  ) {}

  /** One round. @throws TocsinError while the database is away; the time without it is held against nobody */
  async run(): Promise<void> {
    try {
      await this.round(this.road.now());
    } catch (error) {
      this.road.note(false);
      throw error;
    }
  }

  /** Notes that time goes on, about once a second: see {@link Road.beat}. */
  beat(): void {
    this.road.beat();
  }

  /** Reads what the gauges show. Nothing hangs on it: that a count is slow does not mean that the database is away. */
  async readGauges(): Promise<void> {
    const { states, openIncidents } = await this.sweeps.gauges();
    recorded.states = states;
    recorded.openIncidents = openIncidents;
  }

  /** Counts what is unaccounted for in the last day: the heaviest read there is, and again only for a gauge. */
  async countUnaccounted(): Promise<void> {
    recorded.unaccounted = await this.sweeps.unaccounted(this.road.now());
  }

  private async round(now: number): Promise<void> {
    const due = await this.sweeps.due(now);
    this.road.note(true);
    if (!this.road.isSettled()) return;
    const judges = due.confirmations || due.silent || due.heartbeats;
    if (judges && (await this.road.isCaughtUp())) await this.judgeAbsence(due, now);
    if (due.windows) await this.miss(now);
  }

  private async judgeAbsence(due: Awaited<ReturnType<SweepStore['due']>>, now: number): Promise<void> {
    const openSince = this.road.openSince ?? now;
    if (due.confirmations) await this.states.confirm(now, openSince);
    if (due.silent) await this.states.silence(now, openSince);
    if (due.heartbeats) await this.heartbeats.sweep(now - PINGS_MS);
  }

  /** Marks windows that nobody answered. Should the answer still come, it takes the mark's place. */
  private async miss(now: number): Promise<void> {
    for (let round = 0; round < ROUNDS_MAX; round += 1) {
      const { missed, looked } = await this.sweeps.markMissed(now, BATCH);
      if (missed > 0) {
        missedWindows.add(missed, { kind: 'probed' });
        windows.add(missed, { outcome: 'missed' });
      }
      if (looked < BATCH) return;
    }
  }
}
