import type { Run } from './row.ts';

/** All figures, for programs. */
export function asJson(run: Run): string {
  return `${JSON.stringify(run, null, 2)}\n`;
}
