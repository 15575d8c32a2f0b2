import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bondOptions } from './bond-options.ts';
import { findingsOf, isGood, longestGap } from './findings.ts';
import { type Answer, type BondingSeen, type LvsSeen, seenIn } from './results.ts';

/** One answer every 20 ms, except while somebody says otherwise. */
function answers(from: number, to: number, whose: (at: number) => string | undefined = () => 'a'): Answer[] {
  const times = Array.from({ length: (to - from) / 20 }, (_, index) => from + 20 * index);
  return times.flatMap((at) => {
    const name = whose(at);
    return name === undefined ? [] : [[at, name, 1] as const];
  });
}

describe('a gap', () => {
  it('is the longest time without an answer, also at the ends, whatever the order', () => {
    const shuffled: Answer[] = [
      [400, 'a', 1],
      [100, 'a', 1],
      [250, '', 150],
      [2_000, 'a', 1],
    ];
    expect(longestGap(shuffled, 0, 500)).toBe(300);
    expect(longestGap(shuffled, 300, 1_500)).toBe(1_100);
    expect(longestGap([], 0, 700)).toBe(700);
  });
});

describe('bonded cards', () => {
  const seen = (monitor: 'arp' | 'mii', away: number): BondingSeen => ({
    scenario: 'bonding',
    monitor,
    faults: [{ kind: 'silent', from: 1_000, to: 4_000 }],
    answers: answers(0, 7_000, (at) => (at > 1_000 && at < 1_000 + away ? undefined : 'a')),
  });
  const judged = (monitor: 'arp' | 'mii', away: number) => findingsOf([seen(monitor, away)]).map(isGood);

  it('that are watched by questions are exchanged within a second when packets vanish', () => {
    expect(judged('arp', 300)).toEqual([true]);
    expect(judged('arp', 1_200)).toEqual([false]);
  });

  it('that were never silent prove nothing', () => {
    expect(judged('arp', 0)).toEqual([false]);
  });

  it('that are watched by their light are not exchanged', () => {
    expect(judged('mii', 3_000)).toEqual([true]);
    expect(judged('mii', 300)).toEqual([false]);
  });
});

describe('LVS', () => {
  const turns = ['a', 'b', 'c'];
  const takingTurns = (names: readonly string[]) => (at: number) => names[(at / 20) % names.length]!;
  const wellDone: LvsSeen = {
    scenario: 'lvs',
    director: 'a',
    stopped: 'b',
    kept: 'c',
    steady: 1_000,
    killed: 5_000,
    removed: 5_700,
    revived: 9_000,
    lost: 13_000,
    ended: 20_000,
    roles: { a: 'master', b: 'backup', c: 'backup' },
    held: { a: [...answers(0, 13_000), [16_000, '', 3_000]], b: [], c: answers(0, 20_000, () => 'c') },
    answers: [
      ...answers(0, 5_000, takingTurns(turns)),
      ...answers(5_000, 6_600, takingTurns(['a', '', 'c'])),
      ...answers(6_600, 9_000, takingTurns(['a', 'c'])),
      ...answers(9_000, 13_000, takingTurns(turns)),
      ...answers(14_600, 20_000, takingTurns(['b', 'c'])),
    ],
  };
  const bad = (change: Partial<LvsSeen>) =>
    findingsOf([{ ...wellDone, ...change }])
      .filter((one) => !isGood(one))
      .map(({ what }) => what);

  it('is well when all went as it should', () => {
    expect(bad({})).toEqual([]);
  });

  it('is not when one request failed at rest', () => {
    expect(bad({ answers: [...wellDone.answers, [3_000, '', 250]] })).toEqual(['LVS, at rest: failed']);
  });

  it('is not when a balancer has no share', () => {
    const without = wellDone.answers.filter(([at, from]) => at > 5_000 || from !== 'c');
    expect(bad({ answers: without })).toEqual(['LVS, at rest: share of the least used balancer']);
  });

  it('is not when a dead balancer is asked later than 2 s', () => {
    expect(bad({ answers: [...wellDone.answers, [7_100, '', 1]] })).toEqual([
      'LVS, balancer killed: until nothing new goes there',
    ]);
    expect(bad({ removed: 7_100 })).toEqual(['LVS, balancer killed: until it is out of the table']);
  });

  it('is not when connections are forgotten by who takes over', () => {
    expect(bad({ held: { ...wellDone.held, c: answers(0, 13_000, () => 'c') } })).toEqual([
      'LVS, host with the address lost: answers over a connection to another',
    ]);
    expect(bad({ roles: { ...wellDone.roles, b: '' } })).toEqual(['LVS: hosts that follow the table of the first']);
  });

  it('is not when connections to a dead balancer hang', () => {
    expect(bad({ held: { ...wellDone.held, a: answers(0, 13_000) } })).toEqual([
      'LVS, host with the address lost: until a connection to its balancer is reset',
    ]);
  });

  it('is not when the address stays away, or never went', () => {
    const late = wellDone.answers.filter(([at]) => at < 13_000 || at > 16_100);
    expect(bad({ answers: late })).toEqual(['LVS, host with the address lost: gap']);
    expect(bad({ answers: [...wellDone.answers, ...answers(13_000, 14_600)] })).toEqual([
      'LVS, host with the address lost: gap',
    ]);
  });
});

describe('a slow and lossy way', () => {
  const lossy = (took: number): Answer[] =>
    answers(3_000, 13_000, (at) => (at % 1_000 === 0 ? '' : 'far')).map(([at, from]) => [at, from, took]);
  const judged = (took: number, before: Answer[] = []) =>
    findingsOf([{ scenario: 'netem', from: 3_000, answers: [...before, ...lossy(took)] }]).map(({ value }) => value);

  it('is told by its mean time and its losses, without those of the beginning', () => {
    expect(judged(101)).toEqual([101, 2]);
    expect(
      judged(101, [
        [2_000, 'far', 900],
        [2_500, '', 1_000],
      ]),
    ).toEqual([101, 2]);
    expect(judged(5)).toEqual([5, 2]);
  });
});

describe('what the small machine printed', () => {
  const line = (result: object) => `RESULT ${JSON.stringify(result)}\r\n`;
  const all = [{ scenario: 'lvs' }, { scenario: 'bonding', monitor: 'arp' }, { scenario: 'bonding', monitor: 'mii' }];

  it('is read, whatever stands between', () => {
    const netem = { scenario: 'netem', answers: [[1, 'a', 2]] };
    expect(seenIn(`booting\r\n${all.map(line).join('a word\r\n')}${line(netem)}`)).toEqual([...all, netem]);
  });

  it('is not taken for whole when a scenario is missing', () => {
    expect(() => seenIn(`${all.map(line).join('')}a last word\r\n`)).toThrow(/did not report netem.*a last word/s);
  });
});

describe('the options of a bond', () => {
  it('are those of the file that hosts have', () => {
    const file = join(import.meta.dirname, '../../deploy/hosts/files/bonding/tocsin-bond0.netdev');
    expect(bondOptions(readFileSync(file, 'utf8'))).toBe(
      'mode active-backup arp_interval 100 arp_ip_target 10.0.0.12,10.0.0.13,10.0.0.1 arp_all_targets any arp_validate all',
    );
  });

  it('are not passed over where they are not known', () => {
    expect(() => bondOptions('[Bond]\nMode=active-backup\nLACPTransmitRate=fast\n')).toThrow('LACPTransmitRate');
    expect(() => bondOptions('[Bond]\nARPIntervalSec=soon\n')).toThrow('soon');
  });
});
