import { setMaxListeners } from 'node:events';
import { Inject, Injectable } from '@nestjs/common';
import { isOwnFailure, runCheck } from '@tocsin/checks';
import { checkId, type CheckTask, type Finding, type Result, subjects } from '@tocsin/contracts';
import { type Clock, openSecret } from '@tocsin/core';
import { HandBack, Messaging } from '@tocsin/messaging';
import { CLOCK, CONFIG, Drain, type PlatformConfig } from '@tocsin/service';
import { logger, withSpan } from '@tocsin/telemetry';
import { outcomeOf } from './outcome.ts';
import type { ProberConfig } from './prober.config.ts';
import { countHandBack, countResult, inFlight } from './prober.metrics.ts';
import { Stalls } from './stalls.ts';
import { take } from './take.ts';

/** How soon a task that another prober should run is offered again: varied, so that the broker's turns vary too. */
const AVOID_MS = 3;
const AVOID_VARIES_MS = 6;
/** How long a task rests that this machine had no resources for. */
const REST_MS = 250;
/** Most checks are done within this, and then need no second run on another prober when this one stops. */
const STOP_GRACE_MS = 200;

const log = logger('prober');

/** Answers tasks: runs the check, publishes what it found, and only then lets go of the task. */
@Injectable()
export class ProberService {
  private readonly stop = new AbortController();

  constructor(
    private readonly messaging: Messaging,
    @Inject(CONFIG) private readonly config: ProberConfig & PlatformConfig,
    @Inject(CLOCK) private readonly clock: Clock,
    private readonly stalls: Stalls,
    private readonly drain: Drain,
  ) {
    setMaxListeners(0, this.stop.signal);
    drain.onStop('stop-taking', () => {
      setTimeout(() => this.stop.abort(), STOP_GRACE_MS).unref();
    });
  }

  /**
   * Returns when the result is stored by the broker.
   * @param deliveries how often the task was delivered, this time included
   * @throws HandBack when another prober should have it; TocsinError `unavailable` when the broker is away
   */
  async answer(task: CheckTask, deliveries: number): Promise<void> {
    const now = this.clock.now();
    const by = { prober: this.config.instance, stopping: this.drain.stopping, deliveries, now };
    const decision = take(task, by);
    switch (decision) {
      case 'stopping':
        throw handBack(0, 'stopping', 'this prober stops');
      case 'avoid':
        throw handBack(AVOID_MS + Math.random() * AVOID_VARIES_MS, 'avoid', 'another prober should confirm it');
      case 'expired':
        return this.publish(task, { outcome: 'missed' });
      case 'run': {
        const stalledBefore = this.stalls.totalMs;
        const finding = await this.run(task);
        if (isOwnFailure(finding)) throw this.ownFailure(finding);
        const stalledMs = Math.round(this.stalls.totalMs - stalledBefore);
        if (this.stalls.explain({ reason: finding.reason, timeoutMs: task.timeoutMs, stalledMs })) {
          throw handBack(REST_MS, 'stalled', `this prober stood still for ${stalledMs} ms of the check's time`);
        }
        return this.publish(task, { outcome: outcomeOf(task, now), startedAt: now, finding });
      }
    }
  }

  private async run(task: CheckTask): Promise<Finding> {
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
          openSecret: (sealed) => openSecret(this.config.secret, sealed),
          signal: this.stop.signal,
          settingsKey: `${task.monitorId}.${task.revision}`,
        });
        span.setAttributes({ 'tocsin.verdict': finding.verdict, 'tocsin.reason': finding.reason });
        return finding;
      });
    } finally {
      inFlight.add(-1);
    }
  }

  private async publish(task: CheckTask, answer: Pick<Result, 'outcome' | 'startedAt' | 'finding'>): Promise<void> {
    const { monitorId, revision, window, location, attempt, dueAt } = task;
    const prober = this.config.instance;
    const result: Result = { monitorId, revision, window, location, attempt, dueAt, prober, ...answer };
    // What may ring an alarm, or was asked for to confirm one, does not wait for a batch to fill.
    const urgent = result.finding?.verdict !== 'up' || task.attempt > 0;
    await this.messaging.publish(subjects.result(monitorId), result, { id: checkId(task), urgent });
    countResult(task, result);
  }

  private ownFailure(finding: Finding): HandBack {
    if (finding.reason === 'aborted') return handBack(0, 'stopping', 'this prober stops');
    log.warn({ reason: finding.reason }, finding.message);
    return handBack(REST_MS, 'resources', finding.message);
  }
}

function handBack(delayMs: number, reason: Parameters<typeof countHandBack>[0], words: string): HandBack {
  countHandBack(reason);
  return new HandBack(delayMs, words);
}
