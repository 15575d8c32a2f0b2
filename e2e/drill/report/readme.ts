import { readFileSync, writeFileSync } from 'node:fs';
import type { Run } from './row.ts';
import { asSummary } from './summary.ts';

const BEGIN = '<!-- drill: begin -->';
const END = '<!-- drill: end -->';

/** Puts the run's short table into a Markdown file, between its two marks. @throws where the file does not have them */
export function writeReadme(file: string, run: Run): void {
  writeFileSync(file, replaced(readFileSync(file, 'utf8'), asSummary(run)));
}

/** A text with another content between its marks. @throws where it does not have each once, in order */
export function replaced(text: string, content: string): string {
  const [before, rest, ...more] = text.split(BEGIN);
  const [, after, ...others] = rest?.split(END) ?? [];
  if (rest === undefined || after === undefined || more.length > 0 || others.length > 0) {
    throw new Error(`put the lines ${BEGIN} and ${END} where the table belongs, each once`);
  }
  return `${before}${BEGIN}\n\n${content.trimEnd()}\n\n${END}${after}`;
}
