import { core } from './core.ts';
import { coverage } from './coverage.ts';
import { edge } from './edge.ts';
import { incidents } from './incidents.ts';
import { messaging } from './messaging.ts';
import type { Mutant } from './mutant.ts';
import { notifier } from './notifier.ts';
import { prober } from './prober.ts';
import { record } from './record.ts';
import { scheduler } from './scheduler.ts';

/** Every mechanism that a promise rests on, in the order in which a check passes them. */
export const mutants: readonly Mutant[] = [
  ...scheduler,
  ...prober,
  ...core,
  ...incidents,
  ...coverage,
  ...notifier,
  ...messaging,
  ...record,
  ...edge,
];
