import { BlockList } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseTargets, targetEntry, TargetRules } from './targets.ts';

function rules(o: { deny?: string; allow?: string; own?: string } = {}): TargetRules {
  return new TargetRules({
    deny: parseTargets(o.deny ?? ''),
    allow: parseTargets(o.allow ?? ''),
    own: parseTargets(o.own ?? ''),
  });
}
const by = (guard: TargetRules, address: string, port = 80) => guard.refusal(address, port)?.by ?? 'allowed';

describe('targets without lists', () => {
  it.each([
    ['127.0.0.1', 'loopback'],
    ['127.255.0.9', 'loopback'],
    ['::1', 'loopback'],
    ['::ffff:127.0.0.1', 'loopback'],
    ['::ffff:7f00:1', 'loopback'],
    ['0.0.0.0', 'unspecified'],
    ['::', 'unspecified'],
    ['::127.0.0.1', 'unspecified'],
    ['169.254.169.254', 'link-local'],
    ['64:ff9b::a9fe:a9fe', 'link-local'],
    ['64:ff9b:1::a9fe:a9fe', 'translated to IPv4'],
    ['2002:a9fe:a9fe::1', 'translated to IPv4'],
    ['::ffff:0:169.254.169.254', 'translated to IPv4'],
    ['fe80::1', 'link-local'],
    ['fe80::1%eth0', 'link-local'],
    ['febf::1', 'link-local'],
    ['239.1.2.3', 'multicast'],
    ['ff02::1', 'multicast'],
    ['255.255.255.255', 'broadcast'],
    ['fd00:ec2::254', 'cloud metadata'],
    ['100.100.100.200', 'cloud metadata'],
    ['168.63.129.16', 'cloud metadata'],
    ['not an address', 'not an address'],
  ])('%s is refused as %s', (address, entry) => {
    expect(rules().refusal(address, 80)).toEqual({ by: 'default', entry });
  });

  it.each([
    '10.0.0.1',
    '172.16.0.1',
    '192.168.1.1',
    '100.64.0.1',
    'fd12::1',
    '93.184.216.34',
    '2001:db8::1',
    'fec0::1',
  ])('%s is allowed: a monitor at home watches its own network', (address) => {
    expect(by(rules(), address)).toBe('allowed');
  });
});

describe('targets with lists', () => {
  it('a denied block is refused, and named as it was written', () => {
    expect(rules({ deny: '10.0.0.0/8' }).refusal('10.9.8.7', 80)).toEqual({
      by: 'TOCSIN_TARGETS_DENY',
      entry: '10.0.0.0/8',
    });
    expect(by(rules({ deny: 'fd00::/8' }), 'fd12::1')).toBe('TOCSIN_TARGETS_DENY');
    expect(by(rules({ deny: '10.0.0.0/8' }), '::ffff:10.0.0.1')).toBe('TOCSIN_TARGETS_DENY');
    expect(by(rules({ deny: '::ffff:10.0.0.0/104' }), '10.0.0.1')).toBe('TOCSIN_TARGETS_DENY');
  });

  it('loopback is allowed where the operator says so', () => {
    const guard = rules({ allow: '127.0.0.0/8, ::1' });
    expect([by(guard, '127.0.0.1'), by(guard, '::1'), by(guard, '169.254.169.254')]).toEqual([
      'allowed',
      'allowed',
      'default',
    ]);
  });

  it('the most specific entry decides, in either list', () => {
    const guard = rules({ deny: '0.0.0.0/0,::/0,10.1.2.0/24', allow: '10.0.0.0/8,10.1.2.3' });
    expect(['8.8.8.8', '2001:db8::1', '10.9.9.9', '10.1.2.4', '10.1.2.3'].map((address) => by(guard, address))).toEqual(
      ['TOCSIN_TARGETS_DENY', 'TOCSIN_TARGETS_DENY', 'allowed', 'TOCSIN_TARGETS_DENY', 'allowed'],
    );
  });

  it('a wide permission opens nothing that is denied by default', () => {
    expect(by(rules({ allow: '0.0.0.0/0,::/0' }), '169.254.169.254')).toBe('default');
  });

  it('of the same length, a denial goes before a permission', () => {
    expect(by(rules({ deny: '10.0.0.5', allow: '10.0.0.5/32' }), '10.0.0.5')).toBe('TOCSIN_TARGETS_DENY');
  });

  it("the deployment's own servers are refused at their ports, also where their address is allowed", () => {
    const guard = rules({ allow: '127.0.0.0/8', own: '127.0.0.1:4222,[fd00::5]:5432,10.0.0.9' });
    expect(by(guard, '127.0.0.1', 4222)).toBe('TOCSIN_TARGETS_OWN');
    expect(by(guard, '127.0.0.1', 80)).toBe('allowed');
    expect(by(guard, 'fd00::5', 5432)).toBe('TOCSIN_TARGETS_OWN');
    expect(by(guard, '10.0.0.9', 1)).toBe('TOCSIN_TARGETS_OWN');
  });

  it('one of them can be allowed by its address and port', () => {
    const guard = rules({ allow: '10.0.0.5:5432', own: '10.0.0.5:5432,10.0.0.5:4222' });
    expect([by(guard, '10.0.0.5', 5432), by(guard, '10.0.0.5', 4222)]).toEqual(['allowed', 'TOCSIN_TARGETS_OWN']);
  });
});

describe('a list of targets', () => {
  it.each([
    ['10.0.0.0/33', '"10.0.0.0/33": the length of an IPv4 block is 0 to 32'],
    ['10.0.0.0/-1', '"10.0.0.0/-1": the length of an IPv4 block is 0 to 32'],
    ['fd00::/129', '"fd00::/129": the length of an IPv6 block is 0 to 128'],
    ['10.0.0.1/8', '"10.0.0.1/8": the address goes beyond its first 8 bits, which makes no block'],
    ['10.0.0.0/8/8', '"10.0.0.0/8/8": not an address or a block such as 10.0.0.0/8 or fd00::/8'],
    ['10.0.0', '"10.0.0": not an address or a block such as 10.0.0.0/8 or fd00::/8'],
    ['localhost', '"localhost": not an address or a block such as 10.0.0.0/8 or fd00::/8'],
    ['10.0.0.1:0', '"10.0.0.1:0": not an address and a port'],
    ['10.0.0.1:70000', '"10.0.0.1:70000": not an address and a port'],
    ['localhost:80', '"localhost:80": not an address and a port'],
  ])('%s is refused by its own name', (entry, message) => {
    expect(() => parseTargets(`192.168.0.0/16, ${entry}`)).toThrow(message);
  });

  it('may be empty', () => {
    expect(parseTargets(' , ')).toEqual([]);
  });
});

describe('any block', () => {
  const v4 = fc.ipV4();
  const v6 = fc.ipV6();
  const block = fc.oneof(
    fc.tuple(v4, fc.integer({ min: 0, max: 32 })).map(([ip, prefix]) => ({ ip, prefix, type: 'ipv4' as const })),
    fc.tuple(v6, fc.integer({ min: 0, max: 128 })).map(([ip, prefix]) => ({ ip, prefix, type: 'ipv6' as const })),
  );

  it('covers what net.BlockList says that it covers', () => {
    fc.assert(
      fc.property(
        block,
        fc.oneof(v4, v6),
        fc.boolean(),
        fc.integer({ min: 0, max: 127 }),
        (from, other, near, flip) => {
          const list = new BlockList();
          list.addSubnet(from.ip, from.prefix, from.type);
          const entry = blockOf(from.ip, from.prefix);
          // An address near the block's own finds its edges; any other is nearly always outside.
          const address = near ? flipped(from.ip, flip) : other;
          // `::/0` speaks of IPv6 alone here; BlockList has it cover IPv4 too.
          fc.pre(entry.family === targetEntry(address, undefined, address)!.family);
          const guard = new TargetRules({ deny: [entry] });
          const type = address.includes(':') ? 'ipv6' : 'ipv4';
          const by = guard.refusal(address, 80)?.by;
          fc.pre(by !== 'default');
          expect(by === 'TOCSIN_TARGETS_DENY').toBe(list.check(address, type));
        },
      ),
      { numRuns: 2_000 },
    );
  });

  /** The block around an address, as the operator would have written it. */
  function blockOf(ip: string, prefix: number) {
    const one = targetEntry(ip, undefined, ip)!;
    return { ...one, prefix, bits: one.bits >> BigInt((one.family === 4 ? 32 : 128) - prefix) };
  }

  /** The same address with one bit changed. */
  function flipped(ip: string, bit: number): string {
    const { family, bits } = targetEntry(ip, undefined, ip)!;
    const width = family === 4 ? 32 : 128;
    const changed = bits ^ (1n << BigInt(bit % width));
    const part = family === 4 ? 8 : 16;
    const parts = Array.from({ length: width / part }, (_, n) =>
      ((changed >> BigInt(width - part * (n + 1))) & ((1n << BigInt(part)) - 1n)).toString(family === 4 ? 10 : 16),
    );
    return parts.join(family === 4 ? '.' : ':');
  }
});
