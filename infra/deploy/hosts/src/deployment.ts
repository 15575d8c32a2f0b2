import { type Certificates, loadCertificates } from './certificates.ts';
import type { Host, Inventory } from './inventory.ts';
import { loadSecrets, type Secrets } from './secrets.ts';

/** What every product's files are made from. */
export interface Deployment extends Inventory {
  secrets: Secrets;
  certificates: Certificates;
}

/** An inventory with its secrets and certificates, which are read from, or made in, the given folder. */
export async function deploy(inventory: Inventory, folder: string): Promise<Deployment> {
  return { ...inventory, secrets: loadSecrets(folder), certificates: await loadCertificates(folder, inventory) };
}

/** The hosts beside this one. */
export function othersOf({ hosts }: Pick<Inventory, 'hosts'>, host: Host): Host[] {
  return hosts.filter((other) => other.name !== host.name);
}
