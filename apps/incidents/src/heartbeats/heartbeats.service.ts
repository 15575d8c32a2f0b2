import { Inject, Injectable, Logger } from '@nestjs/common';
import { type Heartbeat, traitsOf } from '@tocsin/contracts';
import {
  type Clock,
  decideOverdue,
  decidePing,
  HEARTBEAT_LOCATION,
  type HeartbeatDecision,
  TocsinError,
} from '@tocsin/core';
import type { Transaction } from '@tocsin/database';
import { type Delivery, HandBack } from '@tocsin/messaging';
import { CLOCK } from '@tocsin/service';
import { FoldOutput } from '../states/fold-output.ts';
import { folded, missedWindows } from '../incidents.metrics.ts';
import { StatesStore } from '../states/states.store.ts';
import type { Held, ResultRow } from '../states/held-monitor.ts';
import { traceChange } from '../traces.ts';
import { scheduleOf } from './schedule.ts';

const UNKNOWN_RETRY_MS = 500;
const UNKNOWN_PATIENCE_MS = 60_000;
const OVERDUE_BATCH = 200;
/** How soon one that could not be judged is tried again. */
const BROKEN_RETRY_MS = 60_000;
/** Windows older than this have no partition to be recorded in. */
const OLDEST_MS = 7 * 86_400_000;

type Item = Pick<Delivery<Heartbeat>, 'data' | 'headers' | 'publishedAt'>;

/** Folds pings, and the pings that did not come, into states, history and incidents. */
@Injectable()
export class HeartbeatsService {
  private readonly logger = new Logger(HeartbeatsService.name);

  constructor(
    private readonly store: StatesStore,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /**
   * Folds a batch of pings and returns once it is committed. A ping that was folded before changes nothing.
   * @throws HandBack while a monitor is not known yet; TocsinError while the database is unreachable (to be tried again)
   */
  async fold(items: readonly Item[]): Promise<void> {
    const ordered = items.toSorted((a, b) => a.publishedAt - b.publishedAt);
    const unheard = await this.store.transaction((tx) => this.foldIn(tx, ordered));
    if (unheard.length === 0) return;
    const oldest = Math.min(...items.map(({ publishedAt }) => publishedAt));
    if (this.clock.now() - oldest < UNKNOWN_PATIENCE_MS)
      throw new HandBack(UNKNOWN_RETRY_MS, 'its monitor is not known yet');
    throw new TocsinError('not_found', `No monitor ${unheard[0]} is known; was its configuration lost?`);
  }

  /**
   * Marks the pings that are overdue as missed. One that cannot be judged (by a time zone that this host does not know, say)
   * is logged and tried again a minute later, and the others are judged. @returns how many states it looked at
   */
  async sweep(now: number): Promise<number> {
    return this.store.transaction(async (tx) => {
      const held = await this.store.lockOverdue(tx, 'heartbeat', now, OVERDUE_BATCH);
      const output = new FoldOutput();
      const broken: string[] = [];
      for (const one of held) {
        const decision = this.overdue(one, now);
        if (!decision) {
          broken.push(one.monitor.monitorId);
          continue;
        }
        tx.afterCommit(() => missedWindows.add(decision.windows.length, { kind: 'heartbeat' }));
        this.add(output, one, decision, {});
      }
      await this.store.save(tx, output);
      await this.store.postpone(tx, broken, now + BROKEN_RETRY_MS);
      return held.length;
    });
  }

  private overdue({ monitor, state, heartbeat }: Held, now: number): HeartbeatDecision | undefined {
    try {
      return decideOverdue({ ...monitor.rules, ...scheduleOf(monitor.rules) }, state, heartbeat, now);
    } catch (error) {
      this.logger.error(`heartbeat ${monitor.monitorId} cannot be judged: ${String(error)}`);
      return undefined;
    }
  }

  private async foldIn(tx: Transaction, items: readonly Item[]): Promise<string[]> {
    const ids = [...new Set(items.map(({ data }) => data.monitorId))];
    const held = await this.store.lock(tx, ids);
    const output = new FoldOutput();
    for (const { data, headers, publishedAt } of items) {
      const one = held.get(data.monitorId);
      if (!one || !traitsOf(one.monitor.kind).hasKey) continue;
      const decision = decidePing(
        { ...one.monitor.rules, ...scheduleOf(one.monitor.rules) },
        one.state,
        one.heartbeat,
        {
          ...data,
          publishedAt,
        },
      );
      tx.afterCommit(() => folded.add(1, { as: decision.folded }));
      this.add(output, one, decision, headers);
    }
    await this.store.save(tx, output);
    const absent = ids.filter((id) => !held.has(id));
    if (absent.length === 0) return [];
    const deleted = await this.store.deleted(tx, absent);
    return absent.filter((id) => !deleted.has(id));
  }

  private add(output: FoldOutput, held: Held, decision: HeartbeatDecision, headers: Record<string, string>): void {
    if (decision.heartbeat !== held.heartbeat) {
      held.heartbeat = decision.heartbeat;
      output.touch(held);
    }
    output.add(held, decision, { headers, of: (change, monitor) => traceChange(headers, change, monitor) });
    const oldest = this.clock.now() - OLDEST_MS;
    for (const window of decision.windows) if (window.dueAt > oldest) output.results.push(rowOf(held, window));
  }
}

function rowOf({ monitor }: Held, window: HeartbeatDecision['windows'][number]): ResultRow {
  return {
    monitorId: monitor.monitorId,
    dueAt: window.dueAt,
    location: HEARTBEAT_LOCATION,
    attempt: 0,
    outcome: window.outcome,
    verdict: window.verdict,
    counted: true,
    durationMs: window.durationMs,
    reason: window.reason,
    message: window.message,
    prober: 'heartbeat',
  };
}
