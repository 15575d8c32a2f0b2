import type { Row, Run } from './row.ts';

/** Rows of one failure, however it came about, as one. */
export interface Summed {
  failure: string;
  hows: string[];
  rows: readonly Row[];
}

/** One line per failure, in the order of the rows. */
export function byFailure(rows: readonly Row[]): Summed[] {
  const found = new Map<string, Row[]>();
  for (const row of rows) found.set(row.failure, [...(found.get(row.failure) ?? []), row]);
  return [...found].map(([failure, same]) => ({ failure, hows: [...new Set(same.map(({ how }) => how))], rows: same }));
}

interface SummedColumn {
  heading: string;
  show: (of: Summed) => string;
  has?: (row: Row) => boolean;
}

const COLUMNS: readonly SummedColumn[] = [
  { heading: 'failure injected', show: ({ failure, hows }) => `${failure} (${hows.join(', ')})` },
  { heading: 'runs', show: ({ rows }) => sum(rows, ({ kills }) => kills) },
  {
    heading: 'windows missed / late, of total',
    show: ({ rows }) =>
      `${sum(rows, ({ checks }) => checks.missed)} / ${sum(rows, ({ checks }) => checks.late)}, ${sum(rows, ({ checks }) => checks.due)}`,
  },
  { heading: 'check late by up to', show: ({ rows }) => worst(rows, ({ checks }) => checks.worstLateMs) },
  {
    heading: 'alerts lost / duplicate / false, of total',
    show: ({ rows }) =>
      `${sum(rows, ({ alerts }) => alerts.lost)} / ${sum(rows, ({ alerts }) => alerts.doubled)} / ${sum(rows, (row) => row.alerts.false)}, ${sum(rows, ({ alerts }) => alerts.expected)}`,
  },
  { heading: 'alert late by up to', show: ({ rows }) => worst(rows, ({ alerts }) => alerts.worstExtraMs) },
  {
    heading: 'API requests failed / refused, of total',
    show: ({ rows }) =>
      `${sum(rows, ({ api }) => api.failed)} / ${sum(rows, ({ api }) => api.refused)}, ${sum(rows, ({ api }) => api.requests)}`,
  },
  {
    heading: 'address unreachable',
    show: ({ rows }) => worst(rows, ({ address }) => address?.awayMs ?? 0),
    has: ({ address }) => address !== undefined,
  },
  {
    heading: 'promises',
    show: ({ rows }) => {
      const broken = rows.reduce((count, row) => count + row.broken.length, 0);
      return broken === 0 ? 'kept' : `**${broken} broken**`;
    },
  },
];

/** The short table: a line per failure, and how it was made. */
export function asSummary({ rows, machine, at, command, checksPerSecond }: Run): string {
  const columns = COLUMNS.filter(({ has = () => true }) => rows.some(has));
  const cells = [
    columns.map(({ heading }) => heading),
    ...byFailure(rows).map((of) => columns.map(({ show }) => show(of))),
  ];
  const made = `\`${command}\`, ${checksPerSecond} checks/s, ${at}, on ${machine}.`;
  return [...aligned(cells), '', made].join('\n');
}

/** A Markdown table as the formatter writes it, numbers to the right: what is put into the README need not be formatted. */
function aligned([headings = [], ...rows]: string[][]): string[] {
  const widths = headings.map((heading, i) => Math.max(3, heading.length, ...rows.map((row) => row[i]!.length)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join(' | ')} |`;
  const rule = widths.map((width, i) => (i === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`));
  return [line(headings), line(rule), ...rows.map(line)];
}

function sum(rows: readonly Row[], figure: (row: Row) => number): string {
  return rows.reduce((total, row) => total + figure(row), 0).toLocaleString('en-US');
}

function worst(rows: readonly Row[], figure: (row: Row) => number): string {
  return `${(Math.max(...rows.map(figure)) / 1_000).toFixed(1)} s`;
}
