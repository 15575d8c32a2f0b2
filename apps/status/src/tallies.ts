import { Injectable } from '@nestjs/common';
import type { Aged, MonitorTally, StateName } from '@tocsin/contracts';
import { Answers } from './answers.ts';
import { cursors, pageOf, readCursor } from './cursor.ts';
import { Records } from './records.ts';
import { Reports } from './reports.ts';

interface TallyRow {
  monitor_id: string;
  name: string;
  kind: string;
  state: StateName;
  hour: [ran: number, late: number, missed: number, excused: number];
  day: [ran: number, late: number, missed: number, excused: number];
}

const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
const KEPT = { tag: 'history', ttlMs: 10_000, loadMs: 4_000 } as const;

function sums(seconds: 300 | 3_600, since: string, until: string): string {
  return `SELECT monitor_id, ARRAY[sum(ran), sum(late), sum(missed), sum(excused)]::float8[] AS tally
    FROM incidents.rollups_v1 WHERE seconds = ${seconds} AND monitor_id = ANY(ARRAY(SELECT monitor_id FROM page))
      AND bucket_at >= ${since} AND bucket_at < ${until} GROUP BY monitor_id`;
}

const PAGE = `WITH page AS MATERIALIZED (
    SELECT monitor_id, name, kind, state FROM incidents.states_v1
    WHERE monitor_id > coalesce($1::uuid, '00000000-0000-0000-0000-000000000000') ORDER BY monitor_id LIMIT $2
  ), hour AS (${sums(300, '$3', '$4')}), day AS (${sums(3_600, '$5', '$6')})
  SELECT p.monitor_id, p.name, p.kind, p.state, coalesce(h.tally, '{0,0,0,0}') AS hour, coalesce(d.tally, '{0,0,0,0}') AS day
  FROM page p LEFT JOIN hour h USING (monitor_id) LEFT JOIN day d USING (monitor_id) ORDER BY monitor_id`;

/** Every monitor in a few numbers, for metrics: from roll-ups alone, so that ten thousand are cheap. */
@Injectable()
export class Tallies {
  constructor(
    private readonly records: Records,
    private readonly answers: Answers,
    private readonly reports: Reports,
  ) {}

  /** @throws TocsinError `invalid` for a cursor that is not of this list */
  async list(query: {
    cursor?: string | undefined;
    limit: number;
  }): Promise<Aged<{ items: MonitorTally[]; next?: string }>> {
    const after = readCursor(cursors.states, query.cursor)?.[0] ?? null;
    return this.answers.aged('tallies', query, KEPT, async () => {
      const { done300 = 0, done3600 = 0 } = await this.reports.progress();
      const params = [after, query.limit + 1, done300 - HOUR_MS, done300, done3600 - DAY_MS, done3600];
      const rows = await this.records.read<TallyRow>('tallies', PAGE, params);
      return pageOf(rows, query.limit, { item: tallyOf, key: (row) => [row.monitor_id] });
    });
  }
}

function tallyOf({ monitor_id: monitorId, hour, day, ...rest }: TallyRow): MonitorTally {
  return { monitorId, ...rest, hour: outcomesOf(hour), day: outcomesOf(day) };
}

function outcomesOf([ran, late, missed, excused]: TallyRow['hour']): MonitorTally['hour'] {
  return { ran, late, missed, excused };
}
