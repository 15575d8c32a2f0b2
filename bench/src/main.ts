import { writeFile } from 'node:fs/promises';
import { availableParallelism, cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { asksForHelp, showUsage } from '@tocsin/local';
import { Bench } from './bench.ts';
import { asTable, type Figure, met } from './figures.ts';
import { alarm } from './scenarios/alarm.ts';
import { hostile } from './scenarios/hostile.ts';
import { atRest } from './scenarios/rest.ts';
import { road } from './scenarios/road.ts';
import { scale } from './scenarios/scale.ts';

const SCENARIOS = {
  rest: { measure: atRest, instances: 2 },
  road: { measure: road, instances: 2 },
  alarm: { measure: alarm, instances: 2 },
  scale: { measure: scale, instances: 2 },
  hostile: { measure: hostile, instances: 1 },
};
type Name = keyof typeof SCENARIOS;

const USAGE = `Usage: npm run bench [-- --only rest,road,alarm,scale,hostile] [--rate N] [--seconds N] [--out FILE]
  --only a,b    only these scenarios (default: all)
  --rate N      checks per second (default 1000)
  --seconds N   how long each is measured (default 60)
  --out FILE    where the figures go (default bench/results.json)`;

const values = asksForHelp() ? process.exit(showUsage(USAGE)) : valuesOf();

const chosen = values.only.split(',').filter((name): name is Name => name in SCENARIOS);
const machine = `${cpus()[0]?.model ?? 'unknown processor'}, ${availableParallelism()} cores, Node ${process.version}`;
console.log(`${machine}\n`);

const results: Record<string, Figure[]> = {};
for (const name of chosen) {
  console.log(`${name} …`);
  const { measure, instances } = SCENARIOS[name];
  const bench = await Bench.start({ rate: Number(values.rate), seconds: Number(values.seconds) }, instances);
  try {
    results[name] = await measure(bench);
  } finally {
    await bench.stop();
  }
  console.log(`${asTable(results[name])}\n`);
}
const at = new Date().toISOString().slice(0, 10);
await writeFile(values.out, `${JSON.stringify({ at, machine, command: 'npm run bench', results }, null, 2)}\n`);
const missed = Object.values(results)
  .flat()
  .filter((figure) => met(figure) === false);
console.log(missed.length === 0 ? 'every aim was met' : `missed: ${missed.map(({ name }) => name).join('; ')}`);

function valuesOf() {
  try {
    return parseArgs({
      options: {
        only: { type: 'string', default: Object.keys(SCENARIOS).join(',') },
        rate: { type: 'string', default: '1000' },
        seconds: { type: 'string', default: '60' },
        out: { type: 'string', default: 'bench/results.json' },
      },
    }).values;
  } catch (error) {
    process.exit(showUsage(`${(error as Error).message}\n${USAGE}`));
  }
}
