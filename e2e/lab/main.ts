import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { enter, findPrograms, whyNot } from '@tocsin/lab';
import { showUsage } from '@tocsin/local';
import { projectRoot } from '@tocsin/testing/servers';
import { writeReadme } from '../trial/report/readme.ts';
import { Results } from '../trial/results.ts';
import { runAll } from '../trial/run-all.ts';
import { chosen } from '../trial/scenario.ts';
import { keepLogs, Lab } from './lab.ts';
import { type LabOptions, parseLabOptions } from './options.ts';
import { scenarios } from './scenarios.ts';

const INSIDE = 'inside';
const SEED = 1;
/** Clients, targets and the oracle are other machines: three hosts that start on two cores must not slow them down as well. */
const AHEAD = ['chrt', '--rr', '--reset-on-fork', '1'];

/** `npm run lab`: see e2e/lab/README.md. Asks whether the machine can do it, and goes on inside an enclosure. */
async function outside(o: LabOptions): Promise<number> {
  const reason = (await whyNot()) ?? (await findPrograms()).missing.join('; ');
  if (reason !== '') {
    console.log(`${o.orSkip ? 'SKIPPED' : 'The lab can not be run here'}: ${reason}`);
    return o.orSkip ? 0 : 1;
  }
  const precedence = spawnSync('chrt', [...AHEAD.slice(1), 'true']).status === 0 ? AHEAD : [];
  if (precedence.length === 0)
    console.log('chrt is not permitted here: busy hosts slow their clients and targets down too');
  const again = [...precedence, process.execPath, ...process.execArgv, fileURLToPath(import.meta.url), INSIDE];
  return await enter([...again, ...process.argv.slice(2)]);
}

async function inside(o: LabOptions): Promise<number> {
  const command = ['npm run lab', ...(process.argv.length > 3 ? ['--', ...process.argv.slice(3)] : [])].join(' ');
  const results = new Results({ command, out: o.out, again: o.again, checksPerSecond: o.rate, seed: SEED });
  const startedAt = performance.now();
  console.log('building three hosts …');
  const site = await Lab.open();
  console.log(`whole after ${Math.round((performance.now() - startedAt) / 1_000)} s`);
  if (o.open) {
    const { edge, secrets } = site.centre.deployment;
    console.log(`https://${edge.addresses[0]} with the token ${secrets.adminToken}; Ctrl-C ends it`);
    console.log(`a shell in there: nsenter --target $(pgrep -nf 'lab/main.ts ${INSIDE}') --net --mount --pid`);
    await once(process, 'SIGINT');
    return 0;
  }
  const lab = await Lab.load(site, o.rate);
  lab.trial.timed = !o.short;
  let finished = false;
  try {
    await runAll(lab.trial, chosen(scenarios, o), { results, strikes: 1 });
    finished = true;
  } finally {
    if (!finished || results.broken > 0) {
      console.log(`what every unit printed last is in ${await keepLogs(site, resolve(projectRoot, o.out))}`);
    }
    await lab.stop();
  }
  console.log(results.summary());
  if (o.readme) writeReadme(join(projectRoot, 'e2e/lab/README.md'), 'lab', results.run);
  return results.rows.length > 0 && results.broken === 0 ? 0 : 1;
}

const isInside = process.argv[2] === INSIDE;
const options = parseLabOptions(process.argv.slice(isInside ? 3 : 2));
if (typeof options === 'string') process.exit(showUsage(options));
process.exit(await (isInside ? inside(options) : outside(options)));
