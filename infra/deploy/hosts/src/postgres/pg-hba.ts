import { databaseRoles } from '@tocsin/contracts';
import type { PostgresDeployment } from './postgres-deployment.ts';

/** Who may come from where. Everything over the network is encrypted and asks for a password; the rest is refused. */
export function pgHba({ hosts }: Pick<PostgresDeployment, 'hosts'>): string {
  const addresses = hosts.map(({ address }) => `${address}/32`);
  const from = (database: string, user: string, address: string): string =>
    ['hostssl', database.padEnd(11), user.padEnd(9), address.padEnd(18), 'scram-sha-256'].join(' ');
  return [
    '# By the socket, for administration, backups and figures: whoever the Unix user is (pg_ident.conf).',
    'local   all         tocsin_admin                 peer map=admin',
    'local   replication backup                       peer map=backup',
    'local   tocsin      prometheus                   peer map=exporter',
    '# Replication, elections and rewinding, between the hosts.',
    ...addresses.flatMap((address) => [from('repmgr', 'repmgr', address), from('replication', 'repmgr', address)]),
    '# The sub-services, each only into its database; a service may ask the server beside it by loopback.',
    ...databaseRoles.flatMap((user) => [...addresses, '127.0.0.1/32'].map((address) => from('tocsin', user, address))),
    '',
  ].join('\n');
}
