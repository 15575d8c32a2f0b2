import { columnsOf } from './columns.ts';
import type { Run } from './row.ts';

/** The table, how to repeat it, and every promise that was broken. */
export function asMarkdown({ rows, machine, at, command, seed, checksPerSecond }: Run): string {
  const made = `\`${command}\` (seed ${seed}), ${checksPerSecond} checks/s, ${at}, on ${machine}.`;
  const columns = columnsOf(rows);
  const table = [
    line(columns.map(({ heading }) => heading)),
    line(columns.map(({ number }) => (number ? '--:' : '---'))),
    ...rows.map((row) => line(columns.map(({ show }) => show(row)))),
  ];
  const broken = rows.flatMap((row) => row.broken.map((promise) => `- **${row.failure}** (${row.how}): ${promise}`));
  return `${[made, '', ...table, ...(broken.length === 0 ? [] : ['', 'Promises that were broken:', '', ...broken])].join('\n')}\n`;
}

function line(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}
