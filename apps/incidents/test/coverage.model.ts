import { gridOf } from '@tocsin/core';

/** A stretch of time in which a monitor was meant to be watched in one way. */
export interface Plan {
  /** Windows due after this time belong to it, until the next plan's. */
  since: number;
  intervalMs: number;
  locations: readonly string[];
  /** `none`: deleted, or a heartbeat: nothing is due. */
  as: 'watched' | 'paused' | 'none';
}

export interface Count {
  due: number;
  ran: number;
  late: number;
  excused: number;
  /** Missed as a prober said, or without any answer: the record says missed, or waits. */
  unanswered: number;
}

/** What a monitor's coverage has to be: walks every window one by one, and keeps no sums. */
export class CoverageModel {
  readonly plans: Plan[] = [];
  private readonly answers = new Map<string, 'ran' | 'late' | 'missed'>();

  constructor(readonly monitorId: string) {}

  answer(dueAt: number, location: string, outcome: 'ran' | 'late' | 'missed'): void {
    const key = `${dueAt} ${location}`;
    // What really happened wins over a prober that came too late to run it.
    if ((this.answers.get(key) ?? 'missed') === 'missed') this.answers.set(key, outcome);
  }

  /** Every window that was due in [from, to), with what became of it. */
  windows(from: number, to: number): { dueAt: number; location: string; end: keyof Count }[] {
    const found: { dueAt: number; location: string; end: keyof Count }[] = [];
    for (const [n, plan] of this.plans.entries()) {
      if (plan.as === 'none') continue;
      const last = this.plans[n + 1]?.since ?? Infinity;
      const { phaseMs } = gridOf(this.monitorId, plan.intervalMs);
      const start = Math.max(from, plan.since + 1);
      for (let dueAt = start - ((((start - phaseMs) % plan.intervalMs) + plan.intervalMs) % plan.intervalMs); ;) {
        if (dueAt >= to || dueAt > last) break;
        if (dueAt >= start) for (const location of plan.locations) found.push({ dueAt, location, end: this.end(plan, dueAt, location) }); // prettier-ignore
        dueAt += plan.intervalMs;
      }
    }
    return found;
  }

  count(from: number, to: number): Count {
    const count: Count = { due: 0, ran: 0, late: 0, excused: 0, unanswered: 0 };
    for (const { end } of this.windows(from, to)) {
      count.due += 1;
      count[end] += 1;
    }
    return count;
  }

  private end(plan: Plan, dueAt: number, location: string): keyof Count {
    if (plan.as === 'paused') return 'excused';
    const answer = this.answers.get(`${dueAt} ${location}`);
    return answer === undefined || answer === 'missed' ? 'unanswered' : answer;
  }
}
