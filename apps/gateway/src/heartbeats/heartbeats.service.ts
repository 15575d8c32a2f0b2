import { Inject, Injectable } from '@nestjs/common';
import { type Heartbeat, subjects } from '@tocsin/contracts';
import { type Clock, idFrom, monitorOfHeartbeatKey, newId, TocsinError } from '@tocsin/core';
import { type Answer, type Call, ok, TokenBuckets } from '@tocsin/edge';
import { Messaging } from '@tocsin/messaging';
import { CLOCK, CONFIG } from '@tocsin/service';
import type { GatewayConfig } from '../gateway.config.ts';

const LONGEST_MESSAGE = 10_000;
const RATE = { perSecond: 5, burst: 50, most: 50_000 };
/** Longer than the broker needs to choose a leader: a heartbeat is seldom sent twice. */
const STORE_MS = 15_000;

/** Takes heartbeats in. The key proves itself, so this needs the broker alone. */
@Injectable()
export class HeartbeatsService {
  private readonly buckets: TokenBuckets;
  /** Failures have a bound of their own, so that a burst of successes costs none of them. */
  private readonly failures: TokenBuckets;

  constructor(
    private readonly messaging: Messaging,
    @Inject(CONFIG) private readonly config: GatewayConfig,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {
    this.buckets = new TokenBuckets(RATE, clock);
    this.failures = new TokenBuckets(RATE, clock);
  }

  /**
   * Stores a heartbeat; it is answered only once the broker has it.
   * @throws TocsinError `not_found` for a key that is not one of ours, `exhausted`, `unavailable`
   */
  async receive(
    call: Call,
    of: { key: string; signal?: string; rid?: string | undefined; message?: unknown },
  ): Promise<Answer> {
    const receivedAt = this.clock.now();
    const monitorId = monitorOfHeartbeatKey(this.config.heartbeatKeys, of.key);
    if (monitorId === undefined)
      throw new TocsinError('not_found', 'No monitor has this key. Is the address complete?');
    const signal = signalOf(of.signal);
    this.limit(monitorId, signal.signal === 'fail' ? this.failures : this.buckets);
    const { key, requestHash } = call.operation;
    const run = of.rid === undefined ? {} : { rid: of.rid };
    // A start and the success after it are two, even under one key, and so are two runs.
    const pingId = key === undefined ? newId() : idFrom([monitorId, key, requestHash, ...Object.values(run)].join(':'));
    const heartbeat: Heartbeat = { monitorId, pingId, ...run, ...signal, ...messageOf(of.message), receivedAt };
    await this.messaging.publish(subjects.heartbeat(monitorId), heartbeat, {
      id: `heartbeat.${pingId}`,
      timeoutMs: Math.max(STORE_MS, call.deadline - receivedAt),
    });
    return ok({ ok: true });
  }

  private limit(monitorId: string, buckets: TokenBuckets): void {
    const { allowed, retryAfterMs } = buckets.take(monitorId);
    if (allowed) return;
    throw new TocsinError('exhausted', `At most ${RATE.perSecond} heartbeats per second are taken for a monitor.`, {
      details: { retryAfterMs },
    });
  }
}

/** `start`, `fail` or an exit code, of which 0 is success; nothing is success too. */
export function signalOf(text: string | undefined): Pick<Heartbeat, 'signal' | 'exitCode'> {
  if (text === undefined) return { signal: 'success' };
  if (text === 'start' || text === 'fail') return { signal: text };
  const exitCode = Number(text);
  return { signal: exitCode === 0 ? 'success' : 'fail', exitCode };
}

/** The first 10 kB of what came; losing a heartbeat for its long message would raise a false alarm. */
function messageOf(message: unknown): Pick<Heartbeat, 'message'> {
  if (typeof message !== 'string' || message === '') return {};
  return { message: message.slice(0, LONGEST_MESSAGE).replaceAll('\u0000', '\uFFFD').toWellFormed() };
}
