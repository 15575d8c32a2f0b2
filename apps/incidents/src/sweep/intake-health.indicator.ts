import { Injectable } from '@nestjs/common';
import { Health } from '@tocsin/service';
import { IntakeHealth } from './intake-health.ts';
import { SweepStore } from './sweep.store.ts';

/** How old the answer may be, in ms: several requests a second may read the health page. */
const AGE_MS = 2_000;

/**
 * Shows on the health page, as `road`, whether the intake is open: results can come in, and, where monitors are probed, at
 * least one of them has a fresh result. Readiness does not depend on it, the dead man's call does.
 */
@Injectable()
export class IntakeHealthIndicator {
  private last: { at: number; shown: Promise<{ probed: boolean; fresh: boolean }> } | undefined;

  constructor(
    private readonly intake: IntakeHealth,
    private readonly sweeps: SweepStore,
    health: Health,
  ) {
    health.add('road', () => this.show(), { required: false });
  }

  private async show(): Promise<{ ok: boolean; open: boolean; probed: boolean; fresh: boolean }> {
    const now = this.intake.now();
    if (!this.last || now - this.last.at > AGE_MS) this.last = { at: now, shown: this.sweeps.freshness(now) };
    const { probed, fresh } = await this.last.shown;
    const open = this.intake.openSince !== undefined;
    return { ok: open && (fresh || !probed), open, probed, fresh };
  }
}
