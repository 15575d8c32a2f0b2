import { setTimeout as delay } from 'node:timers/promises';
import type { Aim, Fault } from './fault.ts';

/** Cuts every link from and to it for a while: connections stay open, and nothing passes. */
export function cut(aim: Aim, forMs: number): Fault {
  return async (stack, strike) => {
    const victims = await aim(stack, strike);
    const at = Date.now();
    for (const host of victims) await stack.tocsin.control.cut({ host });
    await delay(forMs);
    for (const host of victims) await stack.tocsin.control.heal({ host });
    await stack.whole();
    return { at, victims };
  };
}
