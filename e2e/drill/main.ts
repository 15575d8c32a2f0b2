import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { join } from 'node:path';
import { projectRoot } from '@tocsin/local';
import { Drill } from './drill.ts';
import { type DrillOptions, parseDrillOptions } from './options.ts';
import { asJson } from './report/json.ts';
import { asMarkdown } from './report/markdown.ts';
import { writeReadme } from './report/readme.ts';
import { merged, requireComparable } from './report/merged.ts';
import type { Row, Run } from './report/row.ts';
import { asText } from './report/text.ts';
import { soak } from './soak.ts';

/** `npm run drill`: see e2e/drill/README.md. */
async function main(o: DrillOptions): Promise<number> {
  const earlier = o.again ? lastRun(o) : undefined;
  if (earlier) requireComparable(earlier, circumstances(o));
  console.log(`starting Tocsin with ${o.rate} checks a second …`);
  const drill = await Drill.start(o.rate);
  drill.timed = !o.short;
  // Told to end: nothing stays behind.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void drill.stop().finally(() => process.exit(130)));
  }
  const rows: Row[] = [];
  let finished = false;
  try {
    if (o.soakMs === undefined) await runAll(drill, o, rows);
    else await take(rows, o, await drill.run(soak(drill.scenarios, o.seed), { forMs: o.soakMs }));
    finished = true;
  } finally {
    const clean = finished && rows.every(({ broken }) => broken.length === 0);
    if (!clean) console.log(`the logs of every process are in ${drill.keepLogs(join(projectRoot, o.out))}`);
    await drill.stop();
  }
  const run: Run = { rows, ...circumstances(o) };
  console.log(`\n${asText(run)}`);
  const kept = keep(run, o);
  if (o.readme) writeReadme(join(projectRoot, 'README.md'), kept);
  const broken = rows.filter((row) => row.broken.length > 0).length;
  console.log(broken === 0 ? `every promise held in ${rows.length} scenarios` : `promises were broken in ${broken} scenarios`); // prettier-ignore
  return rows.length > 0 && broken === 0 ? 0 : 1;
}

/** One scenario after the other; each one's row is counted while the next one runs. */
async function runAll(drill: Drill, o: DrillOptions, rows: Row[]): Promise<void> {
  const chosen = drill.scenarios
    .filter(({ name }) => o.only.length === 0 || o.only.some((part) => name.includes(part)))
    .filter(({ short }) => !o.short || short === true);
  if (chosen.length === 0) throw new Error(`No scenario is called like ${o.only.join(', ')}.`);
  const counting: Promise<void>[] = [];
  for (const [index, scenario] of chosen.entries()) {
    console.log(`${index + 1}/${chosen.length} ${scenario.name}`);
    const counted = take(rows, o, await drill.run(scenario, { strikes: o.kills }));
    // It may fail before anybody waits for it.
    counted.catch(() => undefined);
    counting.push(counted);
  }
  await Promise.all(counting);
}

async function take(rows: Row[], o: DrillOptions, { row }: { row: Promise<Row> }): Promise<void> {
  const counted = await row;
  rows.push(counted);
  // An hour's figures must not be lost with its last minute.
  keep({ rows, ...circumstances(o) }, o);
  const { failure, how, kills, checks, alerts, api, recoveryMs, broken, details } = counted;
  console.log(
    `  ${failure}, ${how} ${kills}×: missed ${checks.missed} of ${checks.due}, late ${checks.late}, ` +
      `alerts ${alerts.arrived} of ${alerts.expected}, doubled ${alerts.doubled}, false ${alerts.false}, ` +
      `API failed ${api.failed} of ${api.requests}, recovery ${recoveryMs.worst} ms` +
      broken.map((promise) => `\n    BROKEN ${promise}`).join('') +
      (broken.length === 0 ? '' : details.map((detail) => `\n      ${detail}`).join('')),
  );
}

function circumstances(o: DrillOptions): Omit<Run, 'rows'> {
  return {
    machine: `${cpus()[0]?.model ?? 'unknown processor'}, ${availableParallelism()} cores, Node ${process.version}`,
    at: new Date().toISOString().slice(0, 10),
    command: ['npm run drill', ...(process.argv.length > 2 ? ['--', ...process.argv.slice(2)] : [])].join(' '),
    seed: o.seed,
    checksPerSecond: o.rate,
  };
}

/** What the last run left; undefined where there was none. */
function lastRun(o: DrillOptions): Run | undefined {
  const file = join(projectRoot, o.out, 'results.json');
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Run) : undefined;
}

/** Writes the results, of this run alone or among those of an earlier one. */
function keep(present: Run, o: DrillOptions): Run {
  const folder = join(projectRoot, o.out);
  mkdirSync(folder, { recursive: true });
  const earlier = o.again ? lastRun(o) : undefined;
  const run = earlier ? merged(earlier, present) : present;
  writeFileSync(join(folder, 'results.json'), asJson(run));
  writeFileSync(join(folder, 'results.md'), asMarkdown(run));
  return run;
}

const options = parseDrillOptions(process.argv.slice(2));
if (typeof options === 'string') {
  console.error(options);
  process.exit(2);
}
process.exit(await main(options));
