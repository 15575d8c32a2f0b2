import { readFileSync, writeFileSync } from 'node:fs';
import type { Run } from './row.ts';
import { asSummary } from './summary.ts';

/** Puts a run's short table into a Markdown file, between its two marks. @throws where the file does not have them */
export function writeReadme(file: string, program: 'drill' | 'lab', run: Run): void {
  writeFileSync(file, replaced(readFileSync(file, 'utf8'), program, asSummary(run)));
}

/** A text with another content between its marks. @throws where it does not have each once, in order */
export function replaced(text: string, program: 'drill' | 'lab', content: string): string {
  const [begin, end] = [`<!-- ${program}: begin -->`, `<!-- ${program}: end -->`];
  const [before, rest, ...more] = text.split(begin);
  const [, after, ...others] = rest?.split(end) ?? [];
  if (rest === undefined || after === undefined || more.length > 0 || others.length > 0) {
    throw new Error(`put the lines ${begin} and ${end} where the table belongs, each once`);
  }
  return `${before}${begin}\n\n${content.trimEnd()}\n\n${end}${after}`;
}
