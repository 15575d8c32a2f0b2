import type { Overrides } from './report/promises.ts';
import type { Row } from './report/row.ts';

/** What one strike did, and when. */
export interface Strike {
  /** When it struck, ms since the epoch. */
  at: number;
  /** What it struck. */
  victims: string[];
}

/** Breaks something once and lets it come back; resolves when every part says that it is well again. */
export type Fault<Subject> = (subject: Subject, strike: number) => Promise<Strike>;

/** One row of a failure table: what dies, how, and what that may cost. */
export interface Scenario<Subject> {
  /** What `--only` matches. */
  name: string;
  failure: string;
  how: Row['how'];
  fault: Fault<Subject>;
  /** What it may cost beyond the strictest row. */
  allowed?: Overrides;
  /** Part of the short form. */
  short?: boolean;
  /** Left out of random strikes: it takes long, or may cost more than they may. */
  apart?: boolean;
  /** One strike takes down many, one after the other: so many strikes at most. */
  rounds?: number;
}

/** Those that were asked for. @throws where there are none */
export function chosen<Subject>(
  all: readonly Scenario<Subject>[],
  { only, short }: { only: readonly string[]; short: boolean },
): readonly Scenario<Subject>[] {
  const found = all
    .filter(({ name }) => only.length === 0 || only.some((part) => name.includes(part)))
    .filter((scenario) => !short || scenario.short === true);
  if (found.length === 0) throw new Error(`No scenario is called like ${only.join(', ')}.`);
  return found;
}
