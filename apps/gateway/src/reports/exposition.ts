import type { MonitorTally } from '@tocsin/contracts';

/** Text is given out in pieces of about this many characters. */
const PIECE = 65_536;

/** One family of series in Prometheus' text format. */
interface Family {
  name: string;
  help: string;
  lines: (tally: MonitorTally) => Iterable<string>;
}

const RANGES = [
  ['1h', 'hour'],
  ['1d', 'day'],
] as const;
const OUTCOMES = ['ran', 'late', 'missed', 'excused'] as const;

const families: readonly Family[] = [
  {
    name: 'tocsin_monitor_state',
    help: 'The present state of a monitor: 1 with the state as label',
    lines: ({ monitorId, name, kind, state }) => [`${labels({ monitor: monitorId, name, kind, state })} 1`],
  },
  {
    name: 'tocsin_monitor_coverage_ratio',
    help: 'The share of due windows that ran in time, of the last hour or day that is rolled up',
    lines: function* (tally) {
      for (const [range, key] of RANGES) {
        const { ran, late, missed } = tally[key];
        const owed = ran + late + missed;
        if (owed > 0) yield `${labels({ monitor: tally.monitorId, name: tally.name, range })} ${ran / owed}`;
      }
    },
  },
  {
    name: 'tocsin_monitor_windows',
    help: 'Due windows by outcome, of the last hour or day that is rolled up',
    lines: function* (tally) {
      for (const [range, key] of RANGES) {
        for (const outcome of OUTCOMES) {
          yield `${labels({ monitor: tally.monitorId, range, outcome })} ${tally[key][outcome]}`;
        }
      }
    },
  },
];

/**
 * Monitors as metrics in Prometheus' text format, piece by piece: the whole of it may be megabytes.
 * @param omitted whether there are more monitors than these
 */
export function* exposition(tallies: readonly MonitorTally[], omitted: boolean): Generator<string> {
  let piece = '';
  for (const { name, help, lines } of families) {
    piece += `# HELP ${name} ${help}\n# TYPE ${name} gauge\n`;
    for (const tally of tallies) {
      for (const line of lines(tally)) piece += `${name}${line}\n`;
      if (piece.length < PIECE) continue;
      yield piece;
      piece = '';
    }
  }
  const name = 'tocsin_monitors_omitted';
  yield `${piece}# HELP ${name} 1 where there are more monitors than are shown here\n# TYPE ${name} gauge\n${name} ${omitted ? 1 : 0}\n`;
}

/** Names are written by people: what would end a label's value early is escaped. */
function labels(values: Record<string, string>): string {
  const written = Object.entries(values).map(([name, value]) => `${name}="${escape(value)}"`);
  return `{${written.join(',')}}`;
}

function escape(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
