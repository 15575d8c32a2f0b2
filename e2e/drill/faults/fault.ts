import type { Fault as FaultOf, Scenario } from '../../trial/scenario.ts';
import type { Stack } from '../stack.ts';

/** What is done to the running stack. */
export type Fault = FaultOf<Stack>;

/** One row of the drill's table. */
export type DrillScenario = Scenario<Stack>;

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
