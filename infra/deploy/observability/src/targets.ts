import { type Inventory, ports } from '@tocsin/hosts';
import { stringify } from 'yaml';

/** Where the exporters of each host listen. The balancer's own page is on loopback: a relay hands it out. */
export const exporterPorts = {
  haproxy: 9101,
  nats: 7777,
  redis: 9121,
  postgres: 9187,
  node: 9100,
} as const;

interface TargetGroup {
  labels: Record<string, string>;
  targets: string[];
}

/** All that Prometheus reads on the hosts, in the form of a file that it reads again by itself. */
export function hostTargets({ hosts }: Pick<Inventory, 'hosts'>): string {
  const parts = Object.entries({ ...ports.services, ...exporterPorts });
  const groups = hosts.flatMap(({ name, address }) =>
    parts.map(([service, port]): TargetGroup => ({ labels: { host: name, service }, targets: [`${address}:${port}`] })),
  );
  return written(groups);
}

/** The addresses that clients use, with the name that the certificate is asked for. */
export function edgeTargets({ edge }: Pick<Inventory, 'edge'>): string {
  const [serverName] = edge.names;
  return written(
    edge.addresses.map((address) => ({
      labels: serverName === undefined ? {} : { server_name: serverName },
      targets: [`${address}:${edge.port}`],
    })),
  );
}

function written(groups: TargetGroup[]): string {
  const lines = groups.map((group) => `- ${stringify(group, { collectionStyle: 'flow', lineWidth: 0 }).trim()}`);
  return `# Made from the inventory.\n${lines.join('\n')}\n`;
}
