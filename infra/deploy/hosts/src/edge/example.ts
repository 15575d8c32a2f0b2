import { inventorySchema } from '../inventory.ts';
import type { EdgeDeployment } from './haproxy.ts';

interface Differing {
  edge?: Record<string, unknown>;
  gateway?: Record<string, string>;
  certificate?: { certificate: string; key: string };
}

/** A deployment of three hosts to look at in tests. */
export function anEdge({ edge = {}, gateway = {}, certificate }: Differing = {}): EdgeDeployment {
  const inventory = inventorySchema.parse({
    hosts: ['a', 'b', 'c'].map((name, index) => ({ name, address: `10.0.0.${11 + index}`, interface: `eth${index}` })),
    edge: { addresses: ['10.0.0.10'], prefix: 24, ...edge },
    settings: { gateway },
  });
  return {
    ...inventory,
    certificates: { edge: certificate ?? { certificate: 'the certificate\n', key: 'the key\n' } },
  };
}
