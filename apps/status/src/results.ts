import { Injectable } from '@nestjs/common';
import type { Aged, Finding, Outcome, ResultView } from '@tocsin/contracts';
import { OUTCOME_CODES, OUTCOME_NAMES, VERDICT_NAMES } from '@tocsin/core';
import { Answers } from './answers.ts';
import { cursors, pageOf, readCursor } from './cursor.ts';
import { requireKnown } from './known.ts';
import { Records } from './records.ts';

interface ResultRow {
  due_at: number;
  location: string;
  attempt: number;
  outcome: number;
  verdict: number | null;
  duration_ms: number | null;
  started_at: number | null;
  reason: string;
  message: string;
  prober: string;
  detail: Pick<Finding, 'timings' | 'statusCode' | 'certificateExpiresAt'> | null;
}

/** Those that ran in time are nearly all; the others are found by an index of their own. */
function list(which: 'all' | 'some' | 'not ran'): string {
  return `SELECT due_at, location, attempt, outcome, verdict, duration_ms, started_at, reason, message, prober, detail
    FROM incidents.results_v1
    WHERE monitor_id = $1 AND due_at >= $2 AND due_at < $3
      AND ($4::bigint IS NULL OR (due_at, location, attempt) < ($4, $5, $6))
      ${which === 'not ran' ? `AND outcome <> ${OUTCOME_CODES.ran}` : ''}
      ${which === 'all' ? '' : 'AND attempt = 0 AND outcome = ANY($8::smallint[])'}
    ORDER BY due_at DESC, location DESC, attempt DESC LIMIT $7`;
}

const LISTS = { all: list('all'), some: list('some'), 'not ran': list('not ran') };

/** Single results, the newest first. */
@Injectable()
export class Results {
  constructor(
    private readonly records: Records,
    private readonly answers: Answers,
  ) {}

  /** @throws TocsinError `invalid` for a cursor that is not of this list; `not_found` for a monitor that nothing is known of */
  async list(query: {
    monitorId: string;
    from: number;
    to: number;
    /** Only windows that ended so; without it all, confirmations and manual checks among them. */
    outcome?: readonly Outcome[] | undefined;
    cursor?: string | undefined;
    limit: number;
  }): Promise<Aged<{ items: ResultView[]; next?: string }>> {
    const [dueAt, location, attempt] = readCursor(cursors.results, query.cursor) ?? [null, null, null];
    const kept = { tag: 'history', ttlMs: 1_000, loadMs: 4_000 } as const;
    return this.answers.aged('results', query, kept, async () => {
      // Nothing after the cursor's time is on the page: a smaller range reads fewer partitions.
      const to = dueAt === null ? query.to : Math.min(query.to, dueAt + 1);
      const params: unknown[] = [query.monitorId, query.from, to, dueAt, location, attempt, query.limit + 1];
      const { outcome } = query;
      const which = outcome === undefined ? 'all' : outcome.includes('ran') ? 'some' : 'not ran';
      if (outcome) params.push(outcome.map((name) => OUTCOME_CODES[name]));
      const rows = await this.records.read<ResultRow>(`results list ${which}`, LISTS[which], params);
      if (rows.length === 0) await requireKnown(this.records, query.monitorId);
      return pageOf(rows, query.limit, { item: viewOf, key: (row) => [row.due_at, row.location, row.attempt] });
    });
  }
}

function viewOf(row: ResultRow): ResultView {
  const finding = findingOf(row);
  const { started_at: startedAt, duration_ms: durationMs } = row;
  return {
    dueAt: row.due_at,
    location: row.location,
    attempt: row.attempt,
    outcome: OUTCOME_NAMES[row.outcome] ?? 'missed',
    prober: row.prober,
    ...(finding ? { finding } : {}),
    ...(finding || row.message === '' ? {} : { because: { reason: row.reason, message: row.message } }),
    // What did not run has not begun: the time that is kept is that of the answer, or of the mark.
    ...(startedAt === null || !finding ? {} : { startedAt }),
    ...(startedAt === null ? {} : { at: startedAt + Math.round(durationMs ?? 0) }),
  };
}

function findingOf({ verdict, reason, message, duration_ms, detail }: ResultRow): Finding | undefined {
  const name = verdict === null ? undefined : VERDICT_NAMES[verdict];
  if (name === undefined) return undefined;
  return { verdict: name, reason, message, durationMs: duration_ms ?? 0, timings: {}, ...detail };
}
