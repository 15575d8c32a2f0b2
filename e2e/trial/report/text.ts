import { type Column, columnsOf } from './columns.ts';
import type { Run } from './row.ts';

/** The table for a terminal, and below it every promise that was broken. */
export function asText({ rows }: Pick<Run, 'rows'>): string {
  const columns = columnsOf(rows);
  const cells = [columns.map(({ heading }) => heading), ...rows.map((row) => columns.map(({ show }) => show(row)))];
  const widths = columns.map((_, i) => Math.max(...cells.map((line) => line[i]!.length)));
  const lines = cells.map((line) =>
    line
      .map((cell, i) => padded(cell, widths[i]!, columns[i]!))
      .join('  ')
      .trimEnd(),
  );
  const broken = rows.flatMap((row) => row.broken.map((promise) => `BROKEN  ${row.failure} (${row.how}): ${promise}`));
  return [...lines, ...broken].join('\n');
}

function padded(cell: string, width: number, { number }: Column): string {
  return number ? cell.padStart(width) : cell.padEnd(width);
}
