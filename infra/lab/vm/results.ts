/** When an answer came (milliseconds since the machine's start), whose (none: it did not come in time), and after how long. */
export type Answer = readonly [at: number, from: string, took: number];

export interface LvsSeen {
  scenario: 'lvs';
  /** Who had the address; whose balancer was killed; and the third. */
  director: string;
  stopped: string;
  kept: string;
  /** When there was quiet, and when what happened. */
  steady: number;
  killed: number;
  /** When the killed balancer was no more among those to which connections are spread. */
  removed: number;
  revived: number;
  lost: number;
  ended: number;
  /** What the kernel of each host did with the table of connections. */
  roles: Record<string, string>;
  /** One connection to each balancer, which was kept as long as it held. */
  held: Record<string, Answer[]>;
  answers: Answer[];
}

export interface BondingSeen {
  scenario: 'bonding';
  monitor: 'arp' | 'mii';
  faults: { kind: 'carrier' | 'silent' | 'alone'; from: number; to: number }[];
  answers: Answer[];
}

export interface NetemSeen {
  scenario: 'netem';
  /** What came before does not count. */
  from: number;
  answers: Answer[];
}

export type Seen = LvsSeen | BondingSeen | NetemSeen;

/**
 * What the scenarios reported, among all that the small machine printed.
 * @throws Error that names what no scenario reported, with the last lines
 */
export function seenIn(printed: string): Seen[] {
  const lines = printed.split(/\r?\n/);
  const seen = lines.flatMap((line) =>
    line.startsWith('RESULT ') ? [JSON.parse(line.slice('RESULT '.length)) as Seen] : [],
  );
  const names = seen.map((one) => (one.scenario === 'bonding' ? `bonding by ${one.monitor}` : one.scenario));
  const silent = ['lvs', 'bonding by arp', 'bonding by mii', 'netem'].filter((name) => !names.includes(name));
  if (silent.length === 0) return seen;
  throw new Error(`The small machine did not report ${silent.join(', ')}. It said:\n${lines.slice(-40).join('\n')}`);
}
