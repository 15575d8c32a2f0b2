import type { Mutant } from './mutant.ts';

/** Every mechanism that a promise rests on. */
export const mutants: readonly Mutant[] = [];
