import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Copy } from './copy.ts';
import { mutants } from './list.ts';
import { type Mutant, mutate } from './mutant.ts';

const root = join(import.meta.dirname, '../../..');

/** How many are tried at a time, each in a copy of its own. */
const WORKERS = 2;

/** `npm run mutants [-- part of a mechanism's name]`: takes out each mechanism in a copy and sees its test fail. */
async function main(only: string | undefined): Promise<number> {
  const chosen = mutants.filter(({ mechanism }) => only === undefined || mechanism.includes(only));
  const waiting = [...chosen];
  const survivors: string[] = [];
  const sound = new Map<string, Promise<boolean>>();
  const work = async (): Promise<void> => {
    const copy = Copy.make(root, mkdtempSync(join(tmpdir(), 'tocsin-mutants-')));
    try {
      for (let mutant = waiting.shift(); mutant; mutant = waiting.shift()) {
        const verdict = await judge(copy, mutant, sound);
        console.log(`${verdict.padEnd(9)} ${mutant.mechanism} (${mutant.test})`);
        if (verdict !== 'noticed') survivors.push(mutant.mechanism);
      }
    } finally {
      copy.remove();
    }
  };
  await Promise.all(Array.from({ length: WORKERS }, work));
  console.log(`${chosen.length - survivors.length} of ${chosen.length} were noticed`);
  if (only === undefined && survivors.length === 0) writeFileSync(join(root, 'docs/mutants.md'), page());
  return survivors.length === 0 ? 0 : 1;
}

/** A test proves something only if it passes with the mechanism and fails without. */
async function judge(copy: Copy, mutant: Mutant, sound: Map<string, Promise<boolean>>): Promise<string> {
  const { file, test, title } = mutant;
  const key = `${test} ${title ?? ''}`;
  const passing = sound.get(key) ?? copy.passes(test, title);
  sound.set(key, passing);
  if (!(await passing)) return 'unsound';
  const whole = copy.read(file);
  copy.write(file, mutate(mutant, whole));
  try {
    return (await copy.passes(test, title)) ? 'SURVIVED' : 'noticed';
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
    'when every one was noticed. The list is [infra/checks/mutants/list.ts](../infra/checks/mutants/list.ts).',
    '',
    '| taken out | in | noticed by |',
    '| --- | --- | --- |',
    ...rows,
    '',
  ].join('\n');
}

process.exitCode = await main(process.argv[2]);
