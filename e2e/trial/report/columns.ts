import type { Row } from './row.ts';

/** One column of the table: its heading, and what a row shows in it. */
export interface Column {
  heading: string;
  /** Numbers stand to the right. */
  number?: true;
  show: (row: Row) => string;
  /** Whether a row has something to show; the column is left out where none has. */
  has?: (row: Row) => boolean;
}

const all: readonly Column[] = [
  { heading: 'failure injected', show: ({ failure, how }) => `${failure} (${how})` },
  { heading: 'runs', number: true, show: ({ kills }) => String(kills) },
  { heading: 'windows', number: true, show: ({ checks }) => count(checks.due) },
  {
    heading: 'missed / late / unaccounted',
    number: true,
    show: ({ checks }) => `${count(checks.missed)} / ${count(checks.late)} / ${count(checks.unaccounted)}`,
  },
  { heading: 'check late by up to', number: true, show: ({ checks }) => seconds(checks.worstLateMs) },
  { heading: 'worst gap', number: true, show: ({ checks }) => seconds(checks.worstGapMs) },
  {
    heading: 'alerts arrived / expected',
    number: true,
    show: ({ alerts }) => `${count(alerts.arrived)} / ${count(alerts.expected)}`,
  },
  {
    heading: 'duplicate / repeated / false',
    number: true,
    show: ({ alerts }) => `${alerts.doubled} / ${alerts.repeatedKeys} / ${alerts.false}`,
  },
  { heading: 'alert late by up to', number: true, show: ({ alerts }) => seconds(alerts.worstExtraMs) },
  {
    heading: 'API requests failed / refused / total',
    number: true,
    show: ({ api }) => `${api.failed} / ${api.refused} / ${count(api.requests)}`,
  },
  { heading: '202 / stale', number: true, show: ({ api }) => `${api.accepted} / ${api.stale}` },
  {
    heading: 'writes lost / duplicate',
    number: true,
    show: ({ api }) => `${api.lostWrites} / ${api.doubledWrites}`,
  },
  {
    heading: 'effect lasts, median / worst',
    number: true,
    show: ({ recoveryMs }) => `${seconds(recoveryMs.median)} / ${seconds(recoveryMs.worst)}`,
  },
  {
    heading: 'address unreachable',
    number: true,
    show: ({ address }) => (address ? seconds(address.awayMs) : ''),
    has: ({ address }) => address !== undefined,
  },
  { heading: 'promises', show: ({ broken }) => (broken.length === 0 ? 'kept' : `${broken.length} broken`) },
];

/** Everything that a table of these rows shows, from left to right. */
export function columnsOf(rows: readonly Row[]): readonly Column[] {
  return all.filter(({ has = () => true }) => rows.some(has));
}

function count(value: number): string {
  return value.toLocaleString('en-US');
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
