import { setTimeout as delay } from 'node:timers/promises';
import { randomOf } from '../trial/load/random.ts';
import type { Overrides } from '../trial/report/promises.ts';
import type { DrillScenario } from './faults/fault.ts';

/** Longest rest after a strike. */
const REST_MS = 6_000;
/** A strike picks the instance it is aimed at by its number. */
const AIMS = 8;

/** A scenario that strikes any single part, drawn anew each time, and rests for a random time. */
export function soak(scenarios: readonly DrillScenario[], seed: number): DrillScenario {
  const candidates = scenarios.filter(({ apart }) => apart !== true);
  const random = randomOf(seed);
  const below = (n: number): number => Math.floor(random() * n);
  return {
    name: 'soak',
    failure: 'random parts at random times',
    how: 'mixed',
    allowed: loosest(candidates.map(({ allowed }) => allowed ?? {})),
    fault: async (stack) => {
      const chosen = candidates[below(candidates.length)]!;
      const strike = await chosen.fault(stack, below(AIMS));
      console.log(`  ${chosen.name}: ${strike.victims.join(', ')}`);
      await delay(below(REST_MS));
      return strike;
    },
  };
}

/** What the costliest of them may cost. */
function loosest(all: readonly Overrides[]): Overrides {
  const merged: Record<string, Record<string, number>> = {};
  for (const allowed of all) {
    for (const [group, figures] of Object.entries(allowed)) {
      const most = (merged[group] ??= {});
      for (const [name, figure] of Object.entries(figures)) most[name] = Math.max(most[name] ?? 0, figure);
    }
  }
  return merged;
}
