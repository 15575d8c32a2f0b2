import type { Enclosure } from './enclosure.ts';
import { describeSlowness, type Faults, OUTSIDE, type Port, queuePlan, type Slowness } from './faults.ts';

/** A host's place in the network. */
export interface Cable {
  host: string;
  address: string;
  prefix: number;
  interface: string;
}

const SWITCH = 'switch';
/** Only there to be unplugged and cut off like a host: the outside hangs on a cable of its own. */
const OUTSIDE_INTERFACE = 'outside';

/**
 * One switch, with a cable to each host and one to the outside: the enclosure itself, where clients, targets and sinks run.
 * Faults may be made at any time, also while a host is off, and hold until `heal`.
 */
export class Network {
  private readonly enclosure: Enclosure;
  private readonly netem: boolean;
  private readonly ports = new Map<string, Port>();
  private readonly dropped = new Set<string>();
  private readonly slowed = new Map<string, Slowness>();
  private readonly unplugged = new Set<string>();
  /** Changes are made one after another. */
  private last: Promise<void> = Promise.resolve();

  private constructor(enclosure: Enclosure, netem: boolean) {
    this.enclosure = enclosure;
    this.netem = netem;
  }

  /**
   * Lays the network out in an enclosure.
   * @param outside address and prefix's length of clients, targets and sinks
   */
  static async build(enclosure: Enclosure, outside: { address: string; prefix: number }): Promise<Network> {
    await enclosure.must(['ip', 'link', 'add', SWITCH, 'type', 'bridge', 'forward_delay', '0']);
    // Or it answers for the outside, which lives beside it: with an address of its own that changes as hosts come and go.
    await enclosure.must(['ip', 'link', 'set', SWITCH, 'arp', 'off', 'up']);
    const netem =
      (await enclosure.run(['tc', 'qdisc', 'add', 'dev', 'lo', 'root', 'netem', 'delay', '1ms'])).code === 0;
    if (netem) await enclosure.must(['tc', 'qdisc', 'del', 'dev', 'lo', 'root']);
    const network = new Network(enclosure, netem);
    await network.lay(OUTSIDE, OUTSIDE_INTERFACE);
    await network.in(undefined, OUTSIDE_INTERFACE, `${outside.address}/${outside.prefix}`);
    return network;
  }

  /** A new cable to a host that has just been switched on. `pid`: any process of it, as the enclosure counts them. */
  async plugIn({ host, address, prefix, interface: name }: Cable, pid: number): Promise<void> {
    await this.inTurn(async () => {
      await this.lay(host, name, pid);
      await this.in(pid, name, `${address}/${prefix}`);
      await this.apply();
      await this.setCarrier(host);
    });
  }

  /** A lost network card: the carrier is gone at both ends. */
  async unplug(host: string): Promise<void> {
    this.unplugged.add(host);
    await this.inTurn(() => this.setCarrier(host));
  }

  /** Packets vanish in one direction, and nobody is told. */
  async drop(from: string, to: string): Promise<void> {
    this.dropped.add(`${from} ${to}`);
    await this.inTurn(() => this.apply());
  }

  /**
   * Packets vanish between a host and the others, in both directions.
   * @param from the other hosts alone, or the outside as well
   */
  async cutOff(host: string, from: 'hosts' | 'all' = 'all'): Promise<void> {
    for (const other of this.ports.keys()) {
      if (other === host || (from === 'hosts' && other === OUTSIDE)) continue;
      this.dropped.add(`${host} ${other}`).add(`${other} ${host}`);
    }
    await this.inTurn(() => this.apply());
  }

  /** A slow and lossy cable, in both directions; says what that comes to on this kernel. */
  async slow(host: string, how: Slowness): Promise<string> {
    this.slowed.set(host, how);
    await this.inTurn(() => this.apply());
    return describeSlowness(how, this.netem);
  }

  /** Nothing is wrong any more. */
  async heal(): Promise<void> {
    this.dropped.clear();
    this.slowed.clear();
    const back = [...this.unplugged];
    this.unplugged.clear();
    await this.inTurn(async () => {
      await this.apply();
      for (const host of back) await this.setCarrier(host);
    });
  }

  /** Takes all of it down. The enclosure's end does so too. */
  async remove(): Promise<void> {
    for (const port of this.ports.values()) await this.enclosure.run(['ip', 'link', 'del', port.interface]);
    this.ports.clear();
    await this.enclosure.run(['ip', 'link', 'del', SWITCH]);
  }

  private async inTurn(change: () => Promise<void>): Promise<void> {
    const turn = this.last.then(change);
    this.last = turn.catch(() => undefined);
    await turn;
  }

  private async lay(name: string, far: string, pid?: number): Promise<void> {
    const number = this.ports.get(name) ? [...this.ports.keys()].indexOf(name) : this.ports.size;
    const port = {
      name,
      interface: `port${number}`,
      mac: `02:70:63:00:00:${(number + 1).toString(16).padStart(2, '0')}`,
    };
    // That of a host which was switched off may not be cleared away yet.
    await this.enclosure.run(['ip', 'link', 'del', port.interface]);
    const where = pid === undefined ? [] : ['netns', String(pid)];
    const peer = ['type', 'veth', 'peer', 'name', far, 'address', port.mac, ...where];
    await this.enclosure.must(['ip', 'link', 'add', port.interface, ...peer]);
    await this.enclosure.must(['ip', 'link', 'set', port.interface, 'master', SWITCH, 'up']);
    this.ports.set(name, port);
  }

  private async in(pid: number | undefined, name: string, address: string): Promise<void> {
    const there = pid === undefined ? [] : ['nsenter', '--target', String(pid), '--net', '--'];
    await this.enclosure.must([...there, 'ip', 'link', 'set', 'lo', 'up']);
    await this.enclosure.must([...there, 'ip', 'address', 'add', address, 'dev', name]);
    await this.enclosure.must([...there, 'ip', 'link', 'set', name, 'up']);
  }

  private async apply(): Promise<void> {
    const faults: Faults = { dropped: this.dropped, slow: this.slowed };
    const ports = [...this.ports.values()];
    for (const to of ports) {
      // Gone with its host, until that is switched on again.
      if ((await this.enclosure.run(['ip', 'link', 'show', to.interface])).code !== 0) continue;
      await this.enclosure.run(['tc', 'qdisc', 'del', 'dev', to.interface, 'root']);
      const plan = queuePlan(to, ports, faults, this.netem);
      if (plan.length > 0) await this.enclosure.must(['tc', '-batch', '-'], `${plan.join('\n')}\n`);
    }
  }

  private async setCarrier(host: string): Promise<void> {
    const port = this.ports.get(host);
    if (!port) throw new Error(`No host ${host} is plugged in.`);
    const state = this.unplugged.has(host) ? 'down' : 'up';
    const { code, stderr } = await this.enclosure.run(['ip', 'link', 'set', port.interface, state]);
    if (code !== 0 && !stderr.includes('Cannot find device')) throw new Error(stderr.trim());
  }
}
