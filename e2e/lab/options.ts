import { parseArgs } from 'node:util';

/** What `npm run lab -- …` was asked for. */
export interface LabOptions {
  /** Only scenarios whose name contains one of these; empty: all. */
  only: string[];
  /** Checks per second. */
  rate: number;
  /** The short form: the scenarios marked for it. */
  short: boolean;
  /** Where JSON and Markdown are written. */
  out: string;
  /** Whether the rows of this run take the place of theirs in the last results, beside the others. */
  again: boolean;
  /** Whether the table in the lab's README is replaced. */
  readme: boolean;
  /** Whether a machine that can't run it is passed over, instead of failing. */
  orSkip: boolean;
  /** Whether it only builds and starts the data centre, and leaves it to the person until Ctrl-C. */
  open: boolean;
}

const USAGE = `Usage: npm run lab -- [--only name,name] [--rate N] [--short] [--out folder] [--again] [--readme] [--or-skip] [--open]
  --only a,b    only scenarios whose name contains one of these
  --rate N      checks per second, 20 to 500 (default 30)
  --short       two scenarios; times and missed windows are not judged: what CI runs
  --out folder  where results.json and results.md go (default e2e/lab/results)
  --again       put the rows of this run in the place of theirs in the last results, and keep the others
  --readme      put the table into e2e/lab/README.md
  --or-skip     end well, and say why, where the machine can't run it
  --open        only build and start it, and keep it until Ctrl-C`;

/** The options, or the text to show instead: what is wrong, and the usage. */
export function parseLabOptions(args: string[]): LabOptions | string {
  try {
    const { values } = parseArgs({
      args,
      options: {
        only: { type: 'string', default: '' },
        rate: { type: 'string', default: '30' },
        short: { type: 'boolean', default: false },
        out: { type: 'string', default: 'e2e/lab/results' },
        again: { type: 'boolean', default: false },
        readme: { type: 'boolean', default: false },
        'or-skip': { type: 'boolean', default: false },
        open: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    if (values.help) return USAGE;
    const rate = Number(values.rate);
    if (!Number.isInteger(rate) || rate < 20 || rate > 500) {
      throw new Error(`--rate takes a whole number from 20 to 500, not "${values.rate}".`);
    }
    return {
      only: values.only.split(',').filter((name) => name !== ''),
      rate,
      short: values.short,
      out: values.out,
      again: values.again,
      readme: values.readme,
      orSkip: values['or-skip'],
      open: values.open,
    };
  } catch (error) {
    return `${error instanceof Error ? error.message : String(error)}\n${USAGE}`;
  }
}
