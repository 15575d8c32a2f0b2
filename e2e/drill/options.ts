import { parseArgs } from 'node:util';

/** What `npm run drill -- …` was asked for. */
export interface DrillOptions {
  /** Only scenarios whose name contains one of these; empty: all. */
  only: string[];
  /** Strikes per scenario. */
  kills: number;
  /** Checks per second. */
  rate: number;
  /** The short form: the scenarios marked for it, one strike each. */
  short: boolean;
  /** Random strikes for this long, in ms, in place of the scenarios. */
  soakMs: number | undefined;
  /** Decides the order of random strikes. */
  seed: number;
  /** Where JSON and Markdown are written. */
  out: string;
  /** Whether the rows of this run take the place of theirs in the last results, beside the others. */
  again: boolean;
  /** Whether the table in the README is replaced. */
  readme: boolean;
}

const USAGE = `Usage: npm run drill -- [--only name,name] [--kills N] [--rate N] [--short] [--soak 10m [--seed N]] [--out folder] [--again] [--readme]
  --only a,b    only scenarios whose name contains one of these
  --kills N     strikes per scenario, 1 to 100 (default 10)
  --rate N      checks per second, 20 to 1000 (default 200)
  --short       a few scenarios, one strike each; times and missed windows are not judged: what CI runs
  --soak 10m    random parts at random times, for so long (s, m or h), in place of the scenarios
  --seed N      the order of a soak's strikes (default: drawn, and printed)
  --out folder  where results.json and results.md go (default e2e/drill/results)
  --again       put the rows of this run in the place of theirs in the last results, and keep the others
  --readme      put the table into README.md`;

const UNITS: Record<string, number> = { s: 1_000, m: 60_000, h: 3_600_000 };

/** The options, or the text to show instead: what is wrong, and the usage. */
export function parseDrillOptions(args: string[]): DrillOptions | string {
  try {
    const { values } = parseArgs({
      args,
      options: {
        only: { type: 'string', default: '' },
        kills: { type: 'string' },
        rate: { type: 'string', default: '200' },
        short: { type: 'boolean', default: false },
        soak: { type: 'string' },
        seed: { type: 'string' },
        out: { type: 'string', default: 'e2e/drill/results' },
        again: { type: 'boolean', default: false },
        readme: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    if (values.help) return USAGE;
    return {
      only: values.only.split(',').filter((name) => name !== ''),
      kills: whole('--kills', values.kills ?? (values.short ? '1' : '10'), 1, 100),
      rate: whole('--rate', values.rate, 20, 1_000),
      short: values.short,
      soakMs: values.soak === undefined ? undefined : duration('--soak', values.soak),
      seed: whole('--seed', values.seed ?? String(Date.now() % 1_000_000), 0, 2 ** 31),
      out: values.out,
      again: values.again,
      readme: values.readme,
    };
  } catch (error) {
    return `${error instanceof Error ? error.message : String(error)}\n${USAGE}`;
  }
}

function whole(name: string, text: string, least: number, most: number): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= least && number <= most) return number;
  throw new Error(`${name} takes a whole number from ${least} to ${most}, not "${text}".`);
}

function duration(name: string, text: string): number {
  const match = /^(\d+)([smh])$/.exec(text);
  const ms = match ? Number(match[1]) * UNITS[match[2]!]! : 0;
  // As long as all hits of its range are remembered.
  if (ms >= 10_000 && ms <= 3 * 3_600_000) return ms;
  throw new Error(`${name} takes a time from 10s to 3h, such as 10m, not "${text}".`);
}
