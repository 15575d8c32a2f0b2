import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { serviceNames } from '@tocsin/contracts';
import { deploy, type Deployment, type Inventory, render, writeHost } from '@tocsin/hosts';
import { temporaryDir } from '@tocsin/testing/servers';
import type { Enclosure } from './enclosure.ts';
import { Host, type Image } from './host.ts';
import { Network } from './network.ts';

/** The servers' units, then those of the sub-services; timers are for a real host. */
export const serverUnits = [
  'nats',
  'nats-guard',
  'redis',
  'sentinel',
  'postgres',
  'repmgrd',
  'postgres-watch',
  'haproxy',
  'keepalived',
].map((name) => `tocsin-${name}.service`);
export const serviceUnits = serviceNames.map((name) => `tocsin@${name}.service`);

export interface DataCentreOptions {
  inventory: Inventory;
  image: Image;
  /** The address of clients, targets and sinks, on the hosts' network. */
  outside: string;
  /** The units that run on every host; all of them by default. */
  units?: readonly string[];
}

/** The hosts of an inventory, with the files that it renders, on a network that can be broken. */
export class DataCentre {
  /** With the secrets by which it is reached. */
  readonly deployment: Deployment;
  readonly network: Network;
  readonly hosts: ReadonlyMap<string, Host>;
  private readonly units: readonly string[];

  private constructor(made: { deployment: Deployment; network: Network; hosts: Host[]; units: readonly string[] }) {
    this.deployment = made.deployment;
    this.network = made.network;
    this.hosts = new Map(made.hosts.map((host) => [host.name, host]));
    this.units = made.units;
  }

  /** Builds it in an enclosure: network, disks and files. All hosts are off. */
  static async build(enclosure: Enclosure, o: DataCentreOptions): Promise<DataCentre> {
    const { prefix } = o.inventory.edge;
    const units = o.units ?? [...serverUnits, ...serviceUnits];
    const network = await Network.build(enclosure, { address: o.outside, prefix });
    // Secrets lie there for a moment; the hosts keep theirs on their own disks.
    const folder = temporaryDir('lab');
    try {
      const deployment = await deploy(o.inventory, join(folder, 'secrets'));
      const hosts = deployment.hosts.map(async (one) => {
        const cable = { host: one.name, address: one.address, prefix, interface: one.interface };
        const host = new Host({ enclosure, network }, cable);
        const rendered = join(folder, one.name);
        writeHost(rendered, render(deployment, one));
        await host.build(o.image);
        await host.install(rendered, units);
        return host;
      });
      return new DataCentre({ deployment, network, hosts: await Promise.all(hosts), units });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }

  /** @throws Error when the inventory has no such host */
  host(name: string): Host {
    const host = this.hosts.get(name);
    if (!host) throw new Error(`There is no host ${name}.`);
    return host;
  }

  /** Switches on all hosts that are off. Their units start by themselves; `whenUp` waits for them. */
  async powerOn(): Promise<void> {
    await Promise.all([...this.hosts.values()].filter((host) => !host.isOn).map((host) => host.powerOn()));
  }

  /**
   * Resolves when units (by default all that are enabled) are up, as systemd understands it, on every host that is on.
   * @throws with the state of those that are not, when the time is over
   */
  async whenUp(units: readonly string[] = this.units, timeoutMs = 60_000): Promise<void> {
    const on = [...this.hosts.values()].filter((host) => host.isOn);
    const over = new AbortController();
    // Starting what is started means waiting for it.
    const up = Promise.all(on.map((host) => host.units('start', ...units))).then(() => true);
    const late = delay(timeoutMs, false, { signal: over.signal });
    late.catch(() => undefined);
    try {
      if (!(await Promise.race([up, late]))) throw new Error(await this.whatIsNotUp(on, units));
    } finally {
      over.abort();
      up.catch(() => undefined);
    }
  }

  /** A full stop in order: the sub-services of every host, then all other units, then the hosts. `powerOn` is the cold start. */
  async shutDown(): Promise<void> {
    const on = [...this.hosts.values()].filter((host) => host.isOn);
    await Promise.all(
      on.map((host) => host.units('stop', ...this.units.filter((unit) => serviceUnits.includes(unit)))),
    );
    await Promise.all(
      on.map(async (host) => {
        await host.units('stop', ...Object.keys(await host.status()));
        await host.powerOff();
      }),
    );
  }

  /** Ends it all at once. The enclosure's end takes what is left: disks and logs. */
  async remove(): Promise<void> {
    await Promise.all([...this.hosts.values()].map((host) => host.powerOff()));
    await this.network.remove();
  }

  private async whatIsNotUp(hosts: readonly Host[], units: readonly string[]): Promise<string> {
    const lines = hosts.map(async (host) => {
      const status = await host.status();
      const away = units.filter((unit) => status[unit]?.state !== 'running');
      return away.map((unit) => `${host.name}: ${unit} is ${status[unit]?.state}\n`).join('');
    });
    return `Not up in time:\n${(await Promise.all(lines)).join('')}`;
  }
}
