import { Injectable } from '@nestjs/common';
import { Health } from '@tocsin/service';
import { Road } from './road.ts';
import { SweepStore } from './sweep.store.ts';

/** How old the answer may be, in ms: health is asked for several times a second. */
const AGE_MS = 2_000;

/**
 * Shows on the health page whether the road of the checks is open: results can come in, and, where monitors are probed,
 * some monitor was heard of in its time. Readiness does not depend on it, the dead man's switch does.
 */
@Injectable()
export class RoadHealth {
  private last: { at: number; shown: Promise<{ probed: boolean; fresh: boolean }> } | undefined;

  constructor(
    private readonly road: Road,
    private readonly sweeps: SweepStore,
    health: Health,
  ) {
    health.add('road', () => this.show(), { required: false });
  }

  private async show(): Promise<{ ok: boolean; open: boolean; probed: boolean; fresh: boolean }> {
    const now = this.road.now();
    if (!this.last || now - this.last.at > AGE_MS) this.last = { at: now, shown: this.sweeps.freshness(now) };
    const { probed, fresh } = await this.last.shown;
    const open = this.road.openSince !== undefined;
    return { ok: open && (fresh || !probed), open, probed, fresh };
  }
}
