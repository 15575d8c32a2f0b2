import type { Stack } from '../stack.ts';

/** What one strike did, and when. */
export interface Strike {
  /** When it struck, ms since the epoch. */
  at: number;
  /** What it struck. */
  victims: string[];
}

/** Breaks something once and lets it come back; resolves when every part says that it is well again. */
export type Fault = (stack: Stack, strike: number) => Promise<Strike>;

/** Chooses what the n-th strike is aimed at. */
export type Aim = (stack: Stack, strike: number) => Promise<string[]> | string[];

/** One instance of a service, in turn. */
export function oneOf(service: string): Aim {
  return (stack, strike) => {
    const names = stack.instances(service);
    return [names[strike % names.length]!];
  };
}

/** Every instance of a service. */
export function allOf(service: string): Aim {
  return (stack) => stack.instances(service);
}
