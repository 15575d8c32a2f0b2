import { othersOf } from '../deployment.ts';
import type { Host } from '../inventory.ts';
import { ports } from '../ports.ts';
import type { PostgresDeployment } from './postgres-deployment.ts';
import { binariesOf, paths } from './postgres-paths.ts';

/** What the scripts must know of their host: assignments that a shell reads. */
export function scriptSettings(deployment: PostgresDeployment, host: Host): string {
  const others = othersOf(deployment, host).map(({ address }) => address);
  return `# shellcheck shell=sh disable=SC2034
NODE='${host.name}'
ADDRESS='${host.address}'
OTHERS='${others.join(' ')}'
PORT=${ports.postgres}
BINDIR='${binariesOf(deployment.postgresql)}'
STATE='${paths.state}'
DATA='${paths.data}'
RUN='${paths.run}'
CA='${paths.authority}'
ARCHIVE='${deployment.archive ?? paths.archive}'
# Base backups of this host that are kept.
KEEP=7
# How long (s) a primary that was stopped leaves a failover to the others before it goes on itself.
HOLD=15
# How long (s) this standby is without a primary before it is promoted although nobody elected it: longer than HOLD, and
# longer on each further host, by more than the 10 s that one may take to notice, to ask the others and to do it.
PATIENCE=${25 + 12 * deployment.hosts.indexOf(host)}
`;
}
