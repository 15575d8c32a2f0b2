import { Injectable } from '@nestjs/common';
import { HeartbeatsService } from '../heartbeats/heartbeats.service.ts';
import { missedWindows, recorded, windows } from '../incidents.metrics.ts';
import { IntakeHealth } from './intake-health.ts';
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
    private readonly intake: IntakeHealth,
  ) {}

  /** One run. @throws TocsinError while the database is unreachable; that time counts as no monitor's silence */
  async run(): Promise<void> {
    try {
      await this.round(this.intake.now());
    } catch (error) {
      this.intake.recordDatabase(false);
      throw error;
    }
  }

  /** Call it about once a second: see {@link IntakeHealth.tick}. */
  tick(): void {
    this.intake.tick();
  }

  /** Reads the values of the gauges. A slow count does not mean that the database is unreachable. */
  async readGauges(): Promise<void> {
    const { states, openIncidents } = await this.sweeps.gauges();
    recorded.states = states;
    recorded.openIncidents = openIncidents;
  }

  /** Counts what is unaccounted for in the last day: the heaviest read there is, and again only for a gauge. */
  async countUnaccounted(): Promise<void> {
    recorded.unaccounted = await this.sweeps.unaccounted(this.intake.now());
  }

  private async round(now: number): Promise<void> {
    const due = await this.sweeps.due(now);
    this.intake.recordDatabase(true);
    if (!this.intake.isSettled()) return;
    const judges = due.confirmations || due.silent || due.heartbeats;
    if (judges && (await this.intake.isCaughtUp())) await this.judgeAbsence(due, now);
    if (due.windows) await this.miss(now);
  }

  private async judgeAbsence(due: Awaited<ReturnType<SweepStore['due']>>, now: number): Promise<void> {
    const openSince = this.intake.openSince ?? now;
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
