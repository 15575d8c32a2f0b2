import type { Row, Run } from './row.ts';

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
