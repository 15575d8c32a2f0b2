import { logger } from '@tocsin/telemetry';

/** In this order: take no new work; finish or hand back what was taken; let go of what others wait for. */
export const STOP_PHASES = ['stop-taking', 'finish', 'release'] as const;
export type StopPhase = (typeof STOP_PHASES)[number];

type Hook = () => Promise<void> | void;

const log = logger('drain');

/** What the parts of a service do when it stops. */
export class Drain {
  private readonly hooks: Record<StopPhase, Hook[]> = { 'stop-taking': [], finish: [], release: [] };
  private begun = false;

  /** Adds something to do in a phase. Hooks of one phase run side by side; one that fails is logged and holds up nothing. */
  onStop(phase: StopPhase, hook: Hook): void {
    this.hooks[phase].push(hook);
  }

  /** True from the moment the service begins to stop. */
  get stopping(): boolean {
    return this.begun;
  }

  begin(): void {
    this.begun = true;
  }

  /** Runs the phase's hooks to their end. Never throws. */
  async run(phase: StopPhase): Promise<void> {
    const outcomes = await Promise.allSettled(this.hooks[phase].map(async (hook) => hook()));
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') log.error({ err: outcome.reason, phase }, 'a stop hook failed');
    }
  }
}
