import type { Answer, BondingSeen, LvsSeen, NetemSeen, Seen } from './results.ts';

/** One figure, and between what it has to be. */
export interface Finding {
  what: string;
  value: number;
  unit: 'ms' | '%' | '';
  least: number;
  most: number;
}

/** An answer is asked for this often, in milliseconds; less than three times that is no gap. */
const EVERY = 20;
/** Until a balancer or a host that is gone gets nothing new, and until the address has moved. */
const NOTICED = 2_000;
const MOVED = 3_000;
/** Until then, a client that asks again and again over a dead connection has sent something to who has the address now. */
const RESET = 5_000;

export function isGood({ value, least, most }: Finding): boolean {
  return value >= least && value <= most;
}

/** What came of the scenarios, in their order. */
export function findingsOf(seen: readonly Seen[]): Finding[] {
  return seen.flatMap((one) => {
    if (one.scenario === 'lvs') return ofLvs(one);
    return one.scenario === 'bonding' ? ofBonding(one) : ofNetem(one);
  });
}

/** The longest time without an answer, its ends included. */
export function longestGap(answers: readonly Answer[], from: number, to: number): number {
  const times = answers.filter(([at, name]) => name !== '' && at > from && at < to).map(([at]) => at);
  const all = [from, ...times.toSorted((a, b) => a - b), to];
  return Math.max(...all.slice(1).map((at, index) => at - all[index]!));
}

function ofLvs(seen: LvsSeen): Finding[] {
  const { answers, held, director, stopped, kept, roles } = seen;
  const during = (from: number, to: number): Answer[] => answers.filter(([at]) => at >= from && at < to);
  const quiet = during(seen.steady, seen.killed);
  const shares = Object.keys(held).map((name) => quiet.filter(([, from]) => from === name).length / quiet.length);
  const refused = during(seen.killed, seen.revived).filter(([, from]) => from === '' || from === stopped);
  const returned = during(seen.revived, seen.lost).filter(([, from]) => from === stopped);
  const late = during(seen.lost + MOVED, seen.ended).filter(([, from]) => from === '' || from === director);
  const followers = [stopped, kept].filter((name) => roles[name] === 'backup');
  const reset = held[director]!.find(([at, from]) => from === '' && at > seen.lost);
  const goesOn = held[kept]!.filter(([at, from]) => from === kept && at > seen.lost + MOVED);
  return [
    { what: 'LVS, at rest: failed', value: failures(quiet), unit: '', least: 0, most: 0 },
    {
      what: 'LVS, at rest: share of the least used balancer',
      value: percent(Math.min(...shares)),
      unit: '%',
      least: 15,
      most: 34,
    },
    {
      what: 'LVS: hosts that follow the table of the first',
      value: roles[director] === 'master' ? followers.length : 0,
      unit: '',
      least: 2,
      most: 2,
    },
    {
      what: 'LVS, balancer killed: until it is out of the table',
      value: seen.removed - seen.killed,
      unit: 'ms',
      least: 100,
      most: NOTICED,
    },
    {
      what: 'LVS, balancer killed: until nothing new goes there',
      value: (refused.at(-1)?.[0] ?? seen.killed) - seen.killed,
      unit: 'ms',
      least: 0,
      most: NOTICED,
    },
    { what: 'LVS, balancer back: answers from it', value: returned.length, unit: '', least: 1, most: Infinity },
    {
      what: 'LVS, host with the address lost: gap',
      value: longestGap(answers, seen.lost, seen.ended),
      unit: 'ms',
      least: 500,
      most: MOVED,
    },
    { what: 'LVS, host with the address lost: failed after that', value: late.length, unit: '', least: 0, most: 0 },
    {
      what: 'LVS, host with the address lost: until a connection to its balancer is reset',
      value: (reset?.[0] ?? seen.ended) - seen.lost,
      unit: 'ms',
      least: 100,
      most: RESET,
    },
    {
      what: 'LVS, host with the address lost: answers over a connection to another',
      value: goesOn.length,
      unit: '',
      least: 10,
      most: Infinity,
    },
  ];
}

/** What the gap of each fault may be, by who watches the cards. A fault lasts 3 s: a gap as long was not noticed. */
const allowed: Record<string, readonly [least: number, most: number]> = {
  'arp carrier': [3 * EVERY, 1_000],
  'arp silent': [3 * EVERY, 1_000],
  'arp alone': [0, 500],
  'mii carrier': [0, 1_000],
  'mii silent': [2_500, 4_000],
};

const kinds = { carrier: 'carrier lost', silent: 'packets vanish', alone: 'both other hosts off' };

function ofBonding({ monitor, faults, answers }: BondingSeen): Finding[] {
  return faults.map(({ kind, from, to }) => {
    const [least, most] = allowed[`${monitor} ${kind}`]!;
    const what = `Bonded cards watched by ${monitor.toUpperCase()}, ${kinds[kind]}: gap`;
    return { what, value: longestGap(answers, from, to), unit: 'ms', least, most };
  });
}

function ofNetem({ from: begun, answers: all }: NetemSeen): Finding[] {
  const answers = all.filter(([at]) => at >= begun);
  const took = answers.filter(([, from]) => from !== '').map(([, , time]) => time);
  const mean = took.reduce((a, b) => a + b, 0) / took.length;
  const lost = percent(failures(answers) / answers.length);
  return [
    { what: 'netem, 100 ms ± 10 ms: mean time', value: Math.round(mean), unit: 'ms', least: 95, most: 125 },
    { what: 'netem, 2 % loss: lost', value: lost, unit: '%', least: 0.2, most: 6 },
  ];
}

function failures(answers: readonly Answer[]): number {
  return answers.filter(([, from]) => from === '').length;
}

function percent(share: number): number {
  return Math.round(share * 1_000) / 10;
}
