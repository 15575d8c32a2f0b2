import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { readInventory } from '@tocsin/hosts';
import { DataCentre, Enclosure, firstStart, findPrograms, serverUnits, serviceUnits } from '@tocsin/lab';
import { inTocsin, projectRoot } from '@tocsin/testing/servers';
import { Load } from '../trial/load/load.ts';
import { RecordDatabase } from '../trial/oracle/database.ts';
import { Trial } from '../trial/trial.ts';
import { AddressWatch } from './address-watch.ts';
import { Site } from './site.ts';

/** Where clients, targets and the receiver of webhooks are, on the network of the example's hosts. */
const OUTSIDE = '10.0.0.1';
const WARM_UP_MS = 15_000;

/** A running data centre under load, and what can be done to it. Only for a process that runs inside an enclosure. */
export class Lab {
  readonly trial: Trial<Site>;

  private constructor(
    readonly site: Site,
    private readonly load: Load,
    private readonly watch: AddressWatch,
  ) {
    this.trial = new Trial(site, load, watch);
  }

  /** Builds the hosts of the example inventory and does to them what docs/operations.md says, until all is whole. */
  static async open(): Promise<Site> {
    const inventory = readInventory(join(projectRoot, 'infra/deploy/hosts/inventory.example.yaml'));
    const image = await findPrograms(inventory.postgresql);
    const centre = await DataCentre.build(Enclosure.here(), { inventory, image, outside: OUTSIDE });
    setDefaultCACertificates([...getCACertificates('default'), centre.deployment.certificates.authority]);
    const site = new Site(centre);
    try {
      await firstStart(centre);
      await site.whole();
      return site;
    } catch (error) {
      console.log(`what every unit printed last is in ${await keepLogs(site, inTocsin('lab'))}`);
      throw error;
    }
  }

  /** Puts it under load; resolves when every monitor has been checked on its grid for a while. */
  static async load(site: Site, rate: number): Promise<Lab> {
    const { edge, secrets } = site.centre.deployment;
    const [address] = edge.addresses;
    const place = {
      gateways: () => [`https://${address}`],
      token: secrets.adminToken,
      record: new RecordDatabase(site.ask),
      address: OUTSIDE,
    };
    const load = await Load.start(place, rate);
    const watch = new AddressWatch(`http://${address}/`);
    await delay(WARM_UP_MS);
    return new Lab(site, load, watch);
  }

  async stop(): Promise<void> {
    this.watch.stop();
    await this.load.stop();
    await this.site.centre.remove();
  }
}

/** Writes what every unit of every host printed last; @returns to where */
export async function keepLogs(site: Site, folder: string): Promise<string> {
  const logs = join(folder, 'logs');
  rmSync(logs, { recursive: true, force: true });
  mkdirSync(logs, { recursive: true });
  for (const host of site.centre.hosts.values()) {
    for (const unit of [undefined, ...serverUnits, ...serviceUnits]) {
      writeFileSync(join(logs, `${host.name}-${unit ?? 'init'}.log`), await host.log(unit));
    }
  }
  return logs;
}
