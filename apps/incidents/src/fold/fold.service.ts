import { Inject, Injectable } from '@nestjs/common';
import { type Result } from '@tocsin/contracts';
import { type Clock, decide, type Decision, TocsinError } from '@tocsin/core';
import type { Transaction } from '@tocsin/database';
import { type Delivery, HandBack } from '@tocsin/messaging';
import { CLOCK } from '@tocsin/service';
import { FoldOutput } from '../states/fold-output.ts';
import { folded, foldSeconds, foldSize, resultAge } from '../incidents.metrics.ts';
import { StatesStore } from '../states/states.store.ts';
import { type Held, isDueIn, presentSpan, type ResultRow, type StoredSpan } from '../states/held-monitor.ts';
import { traceChange } from '../traces.ts';
import { ConfirmationPublisher } from './confirmation-publisher.ts';
import { resultRow } from './result-row.ts';

/** Results this old, or from this far ahead, belong to no partition: something is wrong with them or with a clock. */
const OLDEST_MS = 7 * 86_400_000;
const AHEAD_MS = 86_400_000;
/** How long a result of a monitor that we have not heard of waits for its configuration. */
const UNKNOWN_PATIENCE_MS = 60_000;
const UNKNOWN_RETRY_MS = 500;

type Item = Pick<Delivery<Result>, 'data' | 'headers' | 'publishedAt'>;

/** Folds results into states, history and incidents: one transaction per batch. */
@Injectable()
export class FoldService {
  constructor(
    private readonly store: StatesStore,
    private readonly confirmations: ConfirmationPublisher,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /**
   * Folds a batch and returns once it is committed. A result that was folded before changes nothing.
   * @throws HandBack for results whose monitor is not known yet: all else of the batch is committed then; TocsinError
   * while the database is unreachable (to be tried again), or for a result that can never be recorded
   */
  async fold(items: readonly Item[]): Promise<void> {
    const started = this.clock.monotonic();
    const ordered = items.toSorted((a, b) => a.data.dueAt - b.data.dueAt || a.data.attempt - b.data.attempt);
    this.refuseImpossible(ordered);
    const [output, unheard] = await this.store.transaction((tx) => this.foldIn(tx, ordered));
    this.confirmations.publish(output.confirmations);
    foldSize.record(items.length);
    foldSeconds.record((this.clock.monotonic() - started) / 1_000);
    const oldest = ordered[0]?.data;
    if (oldest) resultAge.record(Math.max(0, this.clock.now() - foundAt(oldest)) / 1_000);
    if (unheard.length > 0) await this.recordOrWait(unheard);
  }

  private async foldIn(tx: Transaction, items: readonly Item[]): Promise<[FoldOutput, Item[]]> {
    const held = await this.store.lock(tx, [...new Set(items.map(({ data }) => data.monitorId))]);
    const now = this.clock.now();
    const output = new FoldOutput();
    const unheard: Item[] = [];
    const reasons: Decision['folded'][] = [];
    const former = await this.formerSpans(tx, items, held);
    for (const item of items) {
      const monitor = held.get(item.data.monitorId);
      if (monitor) reasons.push(this.foldOne(output, monitor, item, now));
      else unheard.push(item);
    }
    tx.afterCommit(() => reasons.forEach((as) => folded.add(1, { as })));
    count(output.results, held, former);
    await this.store.save(tx, output);
    return [output, unheard];
  }

  /** @returns why it counted or did not */
  private foldOne(
    output: FoldOutput,
    held: Held,
    { data, headers, publishedAt }: Item,
    now: number,
  ): Decision['folded'] {
    const decision = decide(held.monitor.rules, held.state, data, now);
    output.add(held, decision, { headers, of: (change, monitor) => traceChange(headers, change, monitor) });
    output.results.push(resultRow(data, publishedAt));
    return decision.folded;
  }

  /** Checks that were on their way when their monitor was deleted ran all the same. */
  private async record(tx: Transaction, items: readonly Item[]): Promise<void> {
    if (items.length === 0) return;
    const output = new FoldOutput();
    output.results.push(...items.map(({ data, publishedAt }) => resultRow(data, publishedAt)));
    const spans = await this.store.spans(tx, [...new Set(items.map(({ data }) => data.monitorId))]);
    count(output.results, new Map(), spans);
    await this.store.save(tx, output);
  }

  /** The spans of monitors whose results may have fallen due before the present one. Hardly ever any. */
  private async formerSpans(tx: Transaction, items: readonly Item[], held: Map<string, Held>): Promise<StoredSpan[]> {
    const ids = new Set<string>();
    for (const { data } of items) {
      const monitor = held.get(data.monitorId)?.monitor;
      if (monitor && data.attempt === 0 && (monitor.paused || data.dueAt <= monitor.gridSince)) ids.add(data.monitorId);
    }
    return ids.size === 0 ? [] : this.store.spans(tx, [...ids]);
  }

  private refuseImpossible(items: readonly Item[]): void {
    const now = this.clock.now();
    for (const { data } of items) {
      if (data.dueAt > now - OLDEST_MS && data.dueAt < now + AHEAD_MS) continue;
      throw new TocsinError(
        'invalid',
        `A result due at ${new Date(data.dueAt).toISOString()} is too far from now to record.`,
      );
    }
  }

  /** Results of deleted monitors are recorded, no more. The others wait for their monitor's configuration to come. */
  private async recordOrWait(items: readonly Item[]): Promise<void> {
    const ids = items.map(({ data }) => data.monitorId);
    const deleted = await this.store.transaction(async (tx) => {
      const gone = await this.store.deleted(tx, ids);
      await this.record(tx, items.filter(({ data }) => gone.has(data.monitorId))); // prettier-ignore
      return gone;
    });
    const waiting = items.filter(({ data }) => !deleted.has(data.monitorId));
    if (waiting.length === 0) return;
    const oldest = Math.min(...waiting.map(({ publishedAt }) => publishedAt));
    if (this.clock.now() - oldest < UNKNOWN_PATIENCE_MS) {
      throw new HandBack(UNKNOWN_RETRY_MS, 'its monitor is not known yet');
    }
    const id = waiting[0]?.data.monitorId;
    throw new TocsinError('not_found', `No monitor ${id} is known; was its configuration lost?`);
  }
}

/** Decides which results are checks of windows that were due. */
function count(rows: readonly ResultRow[], held: Map<string, Held>, former: readonly StoredSpan[]): void {
  for (const row of rows) {
    const owner = held.get(row.monitorId);
    if (row.attempt !== 0) continue;
    row.counted =
      (owner !== undefined && isDueIn(presentSpan(owner), row)) ||
      former.some((span) => span.monitorId === row.monitorId && isDueIn(span, row));
  }
}

function foundAt({ startedAt, dueAt, finding }: Result): number {
  return (startedAt ?? dueAt) + (finding?.durationMs ?? 0);
}
