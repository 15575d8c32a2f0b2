import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { join, resolve } from 'node:path';
import { projectRoot } from '@tocsin/testing/servers';
import { asJson } from './report/json.ts';
import { asMarkdown } from './report/markdown.ts';
import { merged, requireComparable } from './report/merged.ts';
import type { Row, Run } from './report/row.ts';
import { asText } from './report/text.ts';

export interface ResultsOptions {
  /** What a person types to repeat it, without its options. */
  command: string;
  /** Folder below the repository for results.json and results.md. */
  out: string;
  /** Whether the rows take the place of theirs in the last results, beside the others. */
  again: boolean;
  checksPerSecond: number;
  seed: number;
}

/** The rows of a run, printed and written as they come: an hour's figures must not be lost with its last minute. */
export class Results {
  readonly rows: Row[] = [];
  private readonly earlier: Run | undefined;

  /** @throws when rows are to be put among those of a run under other circumstances */
  constructor(private readonly o: ResultsOptions) {
    const file = resolve(projectRoot, o.out, 'results.json');
    this.earlier = o.again && existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Run) : undefined;
    if (this.earlier) requireComparable(this.earlier, this.circumstances());
  }

  /** All that is kept: of this run, among those of the last one where it is repeated in part. */
  get run(): Run {
    const present = { rows: this.rows, ...this.circumstances() };
    return this.earlier ? merged(this.earlier, present) : present;
  }

  get broken(): number {
    return this.rows.filter(({ broken }) => broken.length > 0).length;
  }

  add(row: Row): void {
    this.rows.push(row);
    const folder = resolve(projectRoot, this.o.out);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'results.json'), asJson(this.run));
    writeFileSync(join(folder, 'results.md'), asMarkdown(this.run));
    console.log(lineOf(row));
  }

  /** The table of this run's rows, and whether all promises held. */
  summary(): string {
    const { rows, broken } = this;
    const verdict =
      broken === 0 ? `every promise held in ${rows.length} scenarios` : `promises were broken in ${broken} scenarios`;
    return `\n${asText({ rows })}\n${verdict}`;
  }

  private circumstances(): Omit<Run, 'rows'> {
    return {
      machine: `${cpus()[0]?.model ?? 'unknown processor'}, ${availableParallelism()} cores, Node ${process.version}`,
      at: new Date().toISOString().slice(0, 10),
      command: this.o.command,
      seed: this.o.seed,
      checksPerSecond: this.o.checksPerSecond,
    };
  }
}

function lineOf({ failure, how, kills, checks, alerts, api, recoveryMs, broken, details }: Row): string {
  return (
    `  ${failure}, ${how} ${kills}×: missed ${checks.missed} of ${checks.due}, late ${checks.late}, ` +
    `alerts ${alerts.arrived} of ${alerts.expected}, doubled ${alerts.doubled}, false ${alerts.false}, ` +
    `API failed ${api.failed} of ${api.requests}, recovery ${Math.round(recoveryMs.worst)} ms` +
    broken.map((promise) => `\n    BROKEN ${promise}`).join('') +
    (broken.length === 0 ? '' : details.map((detail) => `\n      ${detail}`).join(''))
  );
}
