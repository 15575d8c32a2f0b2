import { join } from 'node:path';
import { showUsage } from '@tocsin/local';
import { projectRoot } from '@tocsin/testing/servers';
import { writeReadme } from '../trial/report/readme.ts';
import { Results } from '../trial/results.ts';
import { added, runAll } from '../trial/run-all.ts';
import { chosen } from '../trial/scenario.ts';
import { Drill } from './drill.ts';
import { type DrillOptions, parseDrillOptions } from './options.ts';
import { soak } from './soak.ts';

/** `npm run drill`: see e2e/drill/README.md. */
async function main(o: DrillOptions): Promise<number> {
  const command = ['npm run drill', ...(process.argv.length > 2 ? ['--', ...process.argv.slice(2)] : [])].join(' ');
  const results = new Results({ command, out: o.out, again: o.again, checksPerSecond: o.rate, seed: o.seed });
  console.log(`starting Tocsin with ${o.rate} checks a second …`);
  const drill = await Drill.start(o.rate);
  drill.trial.timed = !o.short;
  // Told to end: nothing stays behind.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void drill.stop().finally(() => process.exit(130)));
  }
  let finished = false;
  try {
    if (o.soakMs === undefined) {
      await runAll(drill.trial, chosen(drill.scenarios, o), { results, strikes: o.kills });
    } else {
      await added(results, await drill.trial.run(soak(drill.scenarios, o.seed), { forMs: o.soakMs }));
    }
    finished = true;
  } finally {
    if (!finished || results.broken > 0) {
      console.log(`the logs of every process are in ${drill.keepLogs(join(projectRoot, o.out))}`);
    }
    await drill.stop();
  }
  console.log(results.summary());
  if (o.readme) writeReadme(join(projectRoot, 'README.md'), 'drill', results.run);
  return results.rows.length > 0 && results.broken === 0 ? 0 : 1;
}

const options = parseDrillOptions(process.argv.slice(2));
if (typeof options === 'string') process.exit(showUsage(options));
process.exit(await main(options));
