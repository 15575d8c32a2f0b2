import type { Row, Run } from './row.ts';

/** @throws when rows of the two can't stand in one table: another machine, or another load */
export function requireComparable(earlier: Run, later: Omit<Run, 'rows'>): void {
  const [was, is] = [earlier, later].map(({ machine, checksPerSecond }) => `${checksPerSecond} checks/s on ${machine}`);
  if (was === is) return;
  throw new Error(`The last results are of ${was}, these would be of ${is}: run all of it, without --again.`);
}

/** An earlier run with the rows of a later one in the place of theirs; what only the later one has comes last. */
export function merged(earlier: Run, later: Run): Run {
  const known = new Map(later.rows.map((row) => [key(row), row]));
  const rows = earlier.rows.map((row) => {
    const again = known.get(key(row));
    known.delete(key(row));
    return again ?? row;
  });
  return { ...earlier, at: later.at, rows: [...rows, ...known.values()] };
}

function key({ failure, how }: Row): string {
  return `${failure} ${how}`;
}
