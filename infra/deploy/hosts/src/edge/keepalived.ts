import { othersOf } from '../deployment.ts';
import type { Host, Inventory } from '../inventory.ts';
import { ports } from '../ports.ts';
import { ETC, type RenderedFile } from '../rendered.ts';
import { filled } from './template.ts';

const HIGHEST = 150;
const STEP = 10;

/** Moving back ends the connections of those who use the address, and gains nothing while one host serves anyway. */
const STAY = 'nopreempt';
/** With two addresses, moving back makes two hosts serve again; a host that comes and goes is not believed at once. */
const MOVE_BACK = 'preempt_delay 60';

/** Who holds the floating addresses, and the list of what a host must let go of when its keepalived is gone. */
export function keepalivedFiles(deployment: Inventory, host: Host): RenderedFile[] {
  const { addresses, prefix } = deployment.edge;
  const list = addresses.map((address) => `${address}/${prefix} ${host.interface}\n`).join('');
  return [
    { path: `${ETC}/keepalived/keepalived.conf`, content: configuration(deployment, host) },
    { path: `${ETC}/keepalived/addresses`, content: list },
  ];
}

function configuration(deployment: Inventory, host: Host): string {
  const { addresses } = deployment.edge;
  const instances = addresses.map((_address, index) => instance(deployment, host, index)).join('');
  const others = [ports.services.gateway, ...othersOf(deployment, host).map(({ address }) => address)].join(' ');
  return filled('keepalived.conf', { router: host.name, others, instances: instances.trimEnd() });
}

function instance(deployment: Inventory, host: Host, index: number): string {
  const { addresses, prefix, routerId } = deployment.edge;
  return filled('keepalived-instance.conf', {
    number: index + 1,
    interface: host.interface,
    routerId: routerId + index,
    priority: priority(deployment, host, index),
    preemption: addresses.length > 1 ? MOVE_BACK : STAY,
    address: host.address,
    peers: othersOf(deployment, host)
      .map((other) => other.address)
      .join('\n        '),
    floating: `${addresses[index]}/${prefix}`,
  });
}

/** The first address belongs to the first host, the second to the second; the hosts after it follow in turn. */
function priority({ hosts }: Inventory, host: Host, index: number): number {
  const place = hosts.findIndex(({ name }) => name === host.name);
  return HIGHEST - STEP * ((place - index + hosts.length) % hosts.length);
}
