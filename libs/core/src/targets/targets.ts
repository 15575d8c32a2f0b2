import { type Ip, parseIp, WIDTH } from './ip.ts';

/** A block of addresses in one of the lists, or one address with a port. */
export interface TargetEntry {
  family: 4 | 6;
  /** The bits that all addresses of the block share, and how many they are. */
  bits: bigint;
  prefix: number;
  port?: number;
  /** As it was written, or what it stands for. */
  name: string;
}

/** Which list refuses an address, and by which of its entries. */
export interface TargetRefusal {
  by: 'TOCSIN_TARGETS_DENY' | 'TOCSIN_TARGETS_OWN' | 'default';
  entry: string;
}

/** Whoever says where a connection may lead. */
export interface TargetGuard {
  /** @returns why no connection to a resolved address may be opened; undefined when it may */
  refusal(address: string, port: number): TargetRefusal | undefined;
}

/**
 * What no monitor and no channel reaches unless TOCSIN_TARGETS_ALLOW names it: this machine itself, its link, what names
 * nobody or many, and the addresses at which clouds give out credentials.
 */
const DENIED_BY_DEFAULT: readonly [name: string, ...blocks: string[]][] = [
  ['loopback', '127.0.0.0/8', '::1'],
  ['unspecified', '0.0.0.0/8', '::/96'],
  ['link-local', '169.254.0.0/16', 'fe80::/10'],
  ['multicast', '224.0.0.0/4', 'ff00::/8'],
  ['broadcast', '255.255.255.255'],
  // What an IPv4 address becomes there is up to the network, so none of them can be judged (RFC 8215, 3056, 2765).
  ['translated to IPv4', '64:ff9b:1::/48', '2002::/16', '::ffff:0:0:0/96'],
  ['cloud metadata', 'fd00:ec2::254', 'fd20:ce::254', '100.100.100.200', '168.63.129.16', '192.0.0.192'],
];

/** At the same length the first of these decides. */
const RANK = ['deny', 'allow', 'own', 'default'] as const;
type List = (typeof RANK)[number];

/**
 * Where monitors and channels may lead: everywhere but to what is denied. The most specific entry that covers an address
 * decides, and an address with a port is more specific than the address. At the same length a denial goes before a
 * permission, and a permission before what is denied by default.
 */
export class TargetRules implements TargetGuard {
  readonly #entries: readonly (TargetEntry & { list: List })[];

  constructor(lists: {
    deny?: readonly TargetEntry[];
    allow?: readonly TargetEntry[];
    /** The deployment's own servers. */
    own?: readonly TargetEntry[];
  }) {
    const all = { ...lists, default: DEFAULTS };
    this.#entries = RANK.flatMap((list) => (all[list] ?? []).map((entry) => ({ ...entry, list }))).toSorted(
      (a, b) => lengthOf(b) - lengthOf(a),
    );
  }

  refusal(address: string, port: number): TargetRefusal | undefined {
    const ip = parseIp(address);
    // What is no address can't be judged, and so is not connected to.
    if (!ip) return { by: 'default', entry: 'not an address' };
    const entry = this.#entries.find((each) => covers(each, ip, port));
    if (!entry || entry.list === 'allow') return undefined;
    return { by: BY[entry.list], entry: entry.name };
  }
}

const BY = { deny: 'TOCSIN_TARGETS_DENY', own: 'TOCSIN_TARGETS_OWN', default: 'default' } as const;

/**
 * Reads a list: addresses (`10.0.0.5`), blocks (`10.0.0.0/8`, `fd00::/8`) and addresses with a port (`10.0.0.5:5432`,
 * `[fd00::5]:5432`), with commas in between.
 * @throws RangeError that names the entry and what is wrong with it
 */
export function parseTargets(text: string): TargetEntry[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map(parseEntry);
}

/** The entry of one address, and of one port of it where a port is given. */
export function targetEntry(address: string, port: number | undefined, name: string): TargetEntry | undefined {
  const ip = parseIp(address);
  return ip && { ...ip, prefix: WIDTH[ip.family], name, ...(port === undefined ? {} : { port }) };
}

function parseEntry(text: string): TargetEntry {
  const withPort = /^(?:\[([^\]]+)\]|([^:[\]/]+)):(\d{1,5})$/.exec(text);
  if (withPort) {
    const port = Number(withPort[3]);
    const entry = targetEntry(withPort[1] ?? withPort[2]!, port, text);
    if (!entry || port < 1 || port > 65_535) throw bad(text, 'not an address and a port');
    return entry;
  }
  const [address = '', length, ...rest] = text.split('/');
  const ip = parseIp(address);
  if (!ip || rest.length > 0) throw bad(text, 'not an address or a block such as 10.0.0.0/8 or fd00::/8');
  if (length === undefined) return { ...ip, prefix: WIDTH[ip.family], name: text };
  // An IPv4 address in the clothes of IPv6 is counted in the bits of IPv6.
  const prefix = Number(length) - (ip.family === 4 && address.includes(':') ? 96 : 0);
  if (!/^\d{1,3}$/.test(length) || prefix < 0 || prefix > WIDTH[ip.family]) {
    throw bad(text, `the length of an IPv${ip.family} block is 0 to ${WIDTH[ip.family]}`);
  }
  const shift = BigInt(WIDTH[ip.family] - prefix);
  const bits = ip.bits >> shift;
  if (bits << shift !== ip.bits)
    throw bad(text, `the address goes beyond its first ${prefix} bits, which makes no block`);
  return { family: ip.family, bits, prefix, name: text };
}

function bad(entry: string, why: string): RangeError {
  return new RangeError(`"${entry.slice(0, 60)}": ${why}`);
}

function covers(entry: TargetEntry, ip: Ip, port: number): boolean {
  if (entry.family !== ip.family || (entry.port !== undefined && entry.port !== port)) return false;
  return ip.bits >> BigInt(WIDTH[ip.family] - entry.prefix) === entry.bits;
}

function lengthOf({ prefix, family, port }: TargetEntry): number {
  return (prefix / WIDTH[family]) * 2 + (port === undefined ? 0 : 1);
}

const DEFAULTS = DENIED_BY_DEFAULT.flatMap(([name, ...blocks]) =>
  blocks.map((block) => ({ ...parseEntry(block), name })),
);
