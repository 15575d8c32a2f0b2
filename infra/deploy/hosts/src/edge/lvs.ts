import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Host, type Inventory, InventoryError } from '../inventory.ts';
import { ETC, type RenderedFile, RUN } from '../rendered.ts';
import { filled } from './template.ts';

/** Where each host's balancer tells the other hosts that it works. */
const CHECK_PORT = 8405;
const UNITS = '/etc/systemd/system';
const files = join(import.meta.dirname, '../../files/lvs');

/**
 * A host's files with LVS before the balancers: who holds the floating address spreads connections over all hosts, so that
 * all balancers work at once behind one address.
 * @param edge the host's files without it, those of HAProxy and keepalived among them
 * @throws InventoryError when there are two floating addresses
 */
export function withLvs(deployment: Inventory, host: Host, edge: readonly RenderedFile[]): RenderedFile[] {
  if (deployment.edge.addresses.length > 1) {
    throw new InventoryError('edge.addresses: LVS takes one address, behind which all hosts serve at once');
  }
  const changes: [path: string, change: (text: string) => string][] = [
    [`${ETC}/haproxy/haproxy.cfg`, (text) => text + door(deployment)],
    [`${ETC}/keepalived/keepalived.conf`, (text) => text + virtualServer(deployment, host)],
    // Who holds the address also asks whether the balancers work.
    [
      `${ETC}/edge/start-keepalived`,
      (text) => text.replace(' --vrrp ', ` --checkers_pid=${RUN}/keepalived/checkers.pid `),
    ],
  ];
  return [
    ...changes.reduce<readonly RenderedFile[]>((all, [path, change]) => changed(all, path, change), edge),
    { path: `${ETC}/lvs/prepare`, content: own('prepare'), executable: true },
    ...['tocsin-haproxy', 'tocsin-keepalived'].map((unit) => ({
      path: `${UNITS}/${unit}.service.d/lvs.conf`,
      content: own(`${unit}.conf`),
    })),
  ];
}

function door({ hosts }: Inventory): string {
  return filled('lvs-haproxy.cfg', { binds: hosts.map(({ address }) => `${address}:${CHECK_PORT}`).join(',') });
}

function virtualServer({ hosts, edge }: Inventory, host: Host): string {
  const servers = hosts.map(({ address }) =>
    filled('lvs-real-server.conf', { address, port: edge.port, checkPort: CHECK_PORT }),
  );
  return filled('lvs-keepalived.conf', {
    interface: host.interface,
    routerId: edge.routerId,
    address: edge.addresses[0]!,
    port: edge.port,
    servers: servers.join('').trimEnd(),
  });
}

function changed(
  all: readonly RenderedFile[],
  path: string,
  change: (text: string) => string,
): readonly RenderedFile[] {
  const file = all.find((one) => one.path === path);
  const content = file && change(file.content);
  if (!file || content === file.content) throw new Error(`${path} is not what LVS can be added to.`);
  return all.map((one) => (one === file ? { ...one, content: content! } : one));
}

function own(name: string): string {
  return readFileSync(join(files, name), 'utf8');
}
