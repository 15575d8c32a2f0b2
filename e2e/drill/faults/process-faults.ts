import { setTimeout as delay } from 'node:timers/promises';
import type { Aim, Fault } from './fault.ts';

/** A supervisor takes about this long to start what has died; told to, it starts it at once, however often it died. */
const RESTART_MS = 300;

/** SIGKILL; whoever looks after the process starts it again. */
export function kill(aim: Aim): Fault {
  return killAndHold(aim, RESTART_MS);
}

/** SIGSTOP for longer than any lease, then SIGCONT: the process wakes up in a world that went on without it. */
export function freeze(aim: Aim, forMs: number): Fault {
  return async (stack, strike) => {
    const victims = await aim(stack, strike);
    const at = Date.now();
    const frozen = await stack.signal(victims, 'SIGSTOP');
    await delay(forMs);
    // Somebody may have fenced it meanwhile: another process must not get the signal.
    await stack.signal(
      victims.filter((name) => stack.pidOf(name) === frozen.get(name)),
      'SIGCONT',
    );
    await stack.whole();
    return { at, victims };
  };
}

/** SIGKILL, and nobody starts it again for a while. */
export function killAndHold(aim: Aim, forMs: number): Fault {
  return async (stack, strike) => {
    const victims = await aim(stack, strike);
    await stack.tocsin.control.hold(...victims);
    const at = Date.now();
    const struck = await stack.signal(victims, 'SIGKILL');
    await delay(forMs);
    await stack.tocsin.control.release(...victims);
    await stack.replaced(struck);
    await stack.whole();
    return { at, victims };
  };
}

/** SIGTERM to each, one after the other, each back and ready before the next. */
export function restartInTurn(aim: Aim): Fault {
  return async (stack, strike) => {
    const victims = await aim(stack, strike);
    const at = Date.now();
    for (const victim of victims) {
      await stack.replaced(await stack.signal([victim], 'SIGTERM'));
      await stack.whole();
    }
    return { at, victims };
  };
}
