/** Where packets go: to and from a host by its name, or the outside. */
export const OUTSIDE = 'outside';

/** A plug of the switch: what is known of who is plugged in there. */
export interface Port {
  name: string;
  /** The interface at the switch. */
  interface: string;
  mac: string;
}

/** A link that is slow in both directions, or loses packets. */
export interface Slowness {
  delayMs?: number;
  lossPercent?: number;
}

/** All that is wrong with the network. */
export interface Faults {
  /** `from to`: packets vanish in this direction. */
  dropped: ReadonlySet<string>;
  slow: ReadonlyMap<string, Slowness>;
}

/** Of what a kernel without netem loses, every so many packets. */
const EVERY = [2, 4, 8, 16, 32, 64, 128, 256];

/** For those without netem: bytes that pass in a second, so that what is sent queues up. */
const NARROW = '8mbit';

/**
 * The commands of `tc` that make the faults true for what leaves the switch by one port. Sorting by the sender's address on
 * the link catches all that it sends, whatever address it has. A queue that holds no packet drops it without a word to
 * anybody.
 */
export function queuePlan(to: Port, ports: readonly Port[], faults: Faults, netem: boolean): string[] {
  const senders = ports.filter((from) => from.name !== to.name);
  const dropped = senders.filter((from) => faults.dropped.has(`${from.name} ${to.name}`));
  const slow = senders.flatMap((from) => {
    const how = faults.slow.get(to.name) ?? faults.slow.get(from.name);
    return how && !dropped.includes(from) ? [{ from, how }] : [];
  });
  if (dropped.length + slow.length === 0) return [];
  const dev = `dev ${to.interface}`;
  // Handle 1: passes on what no filter names.
  const lines = [`qdisc add ${dev} root handle 1: htb`];
  let last = 0;
  const queue = (rate: string, kind: string): string => {
    last += 1;
    lines.push(`class add ${dev} parent 1: classid 1:${last} htb rate ${rate} quantum 60000`);
    lines.push(`qdisc add ${dev} parent 1:${last} ${kind}`);
    return `1:${last}`;
  };
  const match = (from: Port, what: string, into: string, priority: number): void => {
    // Where one direction works, addresses can still be asked for: without that it would soon work in none.
    const oneWay = faults.dropped.has(`${from.name} ${to.name}`) && !faults.dropped.has(`${to.name} ${from.name}`);
    const protocol = oneWay || what !== '' ? 'ip' : 'all';
    lines.push(
      `filter add ${dev} parent 1: protocol ${protocol} prio ${priority} u32 match ether src ${from.mac} ${what}flowid ${into}`,
    );
  };
  const nowhere = queue('10gbit', 'bfifo limit 1');
  for (const from of dropped) match(from, '', nowhere, 1);
  for (const { from, how } of slow) {
    if (netem) {
      match(from, '', queue('10gbit', `netem ${netemOf(how)}`), 3);
      continue;
    }
    const every = everyPacket(how.lossPercent ?? 0);
    // The number of an IP packet counts up, and is another when it is sent again. Many first packets have 0.
    if (every) match(from, `match u16 0x0001 0x${(every - 1).toString(16)} at 4 `, nowhere, 2);
    match(from, '', queue(how.delayMs ? NARROW : '10gbit', 'pfifo limit 1000'), 3);
  }
  return lines;
}

/** What a slow link comes to on this kernel, for the report. */
export function describeSlowness(how: Slowness, netem: boolean): string {
  if (netem) return netemOf(how);
  const every = everyPacket(how.lossPercent ?? 0);
  return [
    how.delayMs ? `${NARROW} (this kernel has no netem: no delay but that of its queue)` : 'no delay',
    every ? `every ${every}th packet lost, about` : 'no loss',
  ].join(', ');
}

function netemOf({ delayMs, lossPercent }: Slowness): string {
  // Half of it each way.
  const delay = delayMs ? [`delay ${delayMs / 2}ms ${delayMs / 10}ms`] : [];
  return [...delay, ...(lossPercent ? [`loss ${lossPercent}%`] : []), 'limit 10000'].join(' ');
}

function everyPacket(lossPercent: number): number | undefined {
  if (lossPercent <= 0) return undefined;
  const share = 100 / lossPercent;
  return EVERY.toSorted((a, b) => Math.abs(a - share) - Math.abs(b - share))[0];
}
