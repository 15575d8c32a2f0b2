import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { asksForHelp, showUsage } from '@tocsin/local';
import { Copy } from './copy.ts';
import { mutants } from './list.ts';
import { type Mutant, mutate } from './mutant.ts';
import type { Outcome } from './outcome.ts';
import { parses } from './parses.ts';

const root = join(import.meta.dirname, '../../../..');

/** How many are tried at a time, each in a copy of its own. */
const WORKERS = 2;

/** `npm run mutants [-- part of a mechanism's name]`: takes out each mechanism in a copy and sees its test fail. */
async function main(only: string | undefined): Promise<number> {
  const chosen = mutants.filter(({ mechanism }) => only === undefined || mechanism.includes(only));
  const waiting = [...chosen];
  const survivors: string[] = [];
  const baselines = new Map<string, Promise<Outcome>>();
  const stop = new AbortController();
  // Told to end: no copy stays behind.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
  const work = async (): Promise<void> => {
    const copy = new Copy(stop.signal);
    try {
      copy.fill(root);
      for (let mutant = waiting.shift(); mutant; mutant = waiting.shift()) {
        const verdict = await judge(copy, mutant, baselines);
        if (stop.signal.aborted) return;
        console.log(`${verdict.padEnd(9)} ${mutant.mechanism} (${mutant.test})`);
        if (verdict !== 'noticed') survivors.push(mutant.mechanism);
      }
    } catch (error) {
      stop.abort();
      throw error;
    } finally {
      await copy.remove();
    }
  };
  // The other's copy must be removed, too, before an error ends the process.
  const ends = await Promise.allSettled(Array.from({ length: WORKERS }, work));
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
  if (stop.signal.aborted) return 130;
  console.log(`${chosen.length - survivors.length} of ${chosen.length} were noticed`);
  if (only === undefined && survivors.length === 0) writeFileSync(join(root, 'docs/mutants.md'), page());
  return survivors.length === 0 ? 0 : 1;
}

/** A test proves something only if it passes with the mechanism and fails without; a run that came to nothing proves nothing. */
async function judge(copy: Copy, mutant: Mutant, baselines: Map<string, Promise<Outcome>>): Promise<string> {
  const { file, test, title } = mutant;
  const whole = copy.read(file);
  const broken = mutate(mutant, whole);
  if (!parses(file, broken)) return 'unsound';
  const key = `${test} ${title ?? ''}`;
  const baseline = baselines.get(key) ?? copy.run(test, title);
  baselines.set(key, baseline);
  if ((await baseline) !== 'passed') return 'unsound';
  copy.write(file, broken);
  try {
    const outcome = await copy.run(test, title);
    if (outcome === 'inconclusive') return 'unsound';
    return outcome === 'failed' ? 'noticed' : 'SURVIVED';
  } finally {
    copy.write(file, whole);
  }
}

/** docs/mutants.md. */
function page(): string {
  const rows = mutants.map(({ mechanism, file, test, title }) => {
    return `| ${mechanism} | [${file}](../${file}) | [${test}](../${test})${title ? `: ${title}` : ''} |`;
  });
  return [
    '# What notices when a mechanism is taken out',
    '',
    '`npm run mutants` takes out each of these in a copy of the repository, sees the test beside it fail, and writes this page',
    'when every one was noticed. The list is [infra/tools/checks/mutants/list.ts](../infra/tools/checks/mutants/list.ts).',
    '',
    '| taken out | in | noticed by |',
    '| --- | --- | --- |',
    ...rows,
    '',
  ].join('\n');
}

const USAGE = 'Usage: npm run mutants [-- PART]\n  PART    only mechanisms whose name holds it (default: all)';

const [part, ...more] = process.argv.slice(2);
const isUsed = !asksForHelp() && !part?.startsWith('-') && more.length === 0;
process.exitCode = isUsed ? await main(part) : showUsage(USAGE);
