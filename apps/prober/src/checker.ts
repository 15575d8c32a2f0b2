import { setMaxListeners } from 'node:events';
import { Inject, Injectable } from '@nestjs/common';
import { isOwnFailure, runCheck } from '@tocsin/checks';
import type { CheckTarget, CheckTask, Finding } from '@tocsin/contracts';
import type { Clock } from '@tocsin/core';
import type { HandBack } from '@tocsin/messaging';
import { CLOCK, CONFIG, Drain, type PlatformConfig, Targets } from '@tocsin/service';
import { logger, withSpan } from '@tocsin/telemetry';
import { handBack } from './hand-back.ts';
import type { ProberConfig } from './prober.config.ts';
import { countDefect, inFlight } from './prober.metrics.ts';
import { EventLoopStall } from './event-loop-stall.ts';

/** How long a task rests that this machine had no resources for. */
const REST_MS = 250;
/** Most checks are done within this, and then need no second run on another prober when this one stops. */
const STOP_GRACE_MS = 200;

const log = logger('prober');

/** A task that this version can run. */
export type RunnableTask = CheckTask & { target: CheckTarget };

/** Runs the checks of tasks, and tells what they say of their targets from what they say of this prober. */
@Injectable()
export class Checker {
  private readonly stop = new AbortController();
  @Inject(Targets) private readonly targets!: Targets;

  constructor(
    @Inject(CONFIG) private readonly config: ProberConfig & PlatformConfig,
    @Inject(CLOCK) private readonly clock: Clock,
    private readonly stall: EventLoopStall,
    private readonly drain: Drain,
  ) {
    setMaxListeners(0, this.stop.signal);
    drain.onStop('stop-taking', () => {
      setTimeout(() => this.stop.abort(), STOP_GRACE_MS).unref();
    });
  }

  /** True from the moment this prober begins to stop. */
  get stopping(): boolean {
    return this.drain.stopping;
  }

  /**
   * What the check found.
   * @throws HandBack when it says nothing of the target: this prober stops, stood still for others, or is out of something
   */
  async check(task: RunnableTask): Promise<Finding> {
    const stalledBefore = this.stall.totalMs;
    let heldUpMs = 0;
    const finding = await this.run(task, (ms) => (heldUpMs += ms));
    if (isOwnFailure(finding)) throw ownFailure(finding);
    // What a target made its own check take is the target's doing: elsewhere it would do the same.
    const stalledMs = Math.round(this.stall.totalMs - stalledBefore - heldUpMs);
    if (this.stall.wasFrozenDuring({ reason: finding.reason, timeoutMs: task.timeoutMs, stalledMs })) {
      throw handBack(REST_MS, 'stalled', `this prober stood still for ${stalledMs} ms of the check's time`);
    }
    return finding;
  }

  private async run(task: RunnableTask, heldUp: (ms: number) => void): Promise<Finding> {
    const { target } = task;
    const attributes = {
      'tocsin.monitor.id': task.monitorId,
      'tocsin.window': task.window,
      'tocsin.location': task.location,
      'tocsin.attempt': task.attempt,
    };
    inFlight.add(1);
    try {
      return await withSpan(`check ${target.kind}`, { attributes }, async (span) => {
        const finding = await runCheck(target, {
          timeoutMs: task.timeoutMs,
          clock: this.clock,
          targets: this.targets,
          openSecret: (sealed) => this.config.sealing.open(sealed),
          onDefect: (error) => {
            countDefect(target.kind);
            log.error({ err: error, monitorId: task.monitorId }, `a defect ended a check of kind ${target.kind}`);
          },
          signal: this.stop.signal,
          heldUp,
          settingsKey: `${task.monitorId}.${task.revision}`,
        });
        span.setAttributes({ 'tocsin.verdict': finding.verdict, 'tocsin.reason': finding.reason });
        return finding;
      });
    } finally {
      inFlight.add(-1);
    }
  }
}

function ownFailure(finding: Finding): HandBack {
  if (finding.reason === 'aborted') return handBack(0, 'stopping', 'this prober stops');
  log.warn({ reason: finding.reason }, finding.message);
  return handBack(REST_MS, 'resources', finding.message);
}
