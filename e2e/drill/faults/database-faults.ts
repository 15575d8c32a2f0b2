import type { Fault } from './fault.ts';

/** A strike at the primary after which the other server must be the primary: that of a database that fails over. */
export function takenOver(fault: Fault): Fault {
  return async (stack, strike) => {
    const done = await fault(stack, strike);
    const { primary } = await stack.databases();
    if (done.victims.includes(primary)) throw new Error(`${primary} is the primary still: nobody took over`);
    return done;
  };
}
