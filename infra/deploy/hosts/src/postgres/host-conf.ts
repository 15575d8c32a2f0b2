import { othersOf } from '../deployment.ts';
import type { Host } from '../inventory.ts';
import { ports } from '../ports.ts';
import type { PostgresDeployment } from './postgres-deployment.ts';
import { paths } from './postgres-paths.ts';

/** The settings that differ between hosts; postgresql.conf includes them. */
export function hostConf(deployment: PostgresDeployment, host: Host): string {
  // A standby's name is that of its repmgr node, which is the host's. Quoted, for a name may hold a "-".
  const standbys = othersOf(deployment, host).map(({ name }) => `"${name}"`);
  return `listen_addresses = '${host.address},127.0.0.1'
port = ${ports.postgres}
cluster_name = '${host.name}'
unix_socket_directories = '${paths.run}'
hba_file = '${paths.etc}/pg_hba.conf'
ident_file = '${paths.etc}/pg_ident.conf'
ssl_cert_file = '${paths.certificate}'
ssl_key_file = '${paths.key}'
ssl_ca_file = '${paths.authority}'
synchronous_standby_names = 'ANY 1 (${standbys.join(', ')})'
archive_command = '${paths.etc}/archive "%p" "%f"'
`;
}
