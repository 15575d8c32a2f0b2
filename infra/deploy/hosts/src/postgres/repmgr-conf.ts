import type { Host } from '../inventory.ts';
import { ports } from '../ports.ts';
import type { PostgresDeployment } from './postgres-deployment.ts';
import { binariesOf, paths } from './postgres-paths.ts';

/**
 * The settings of a host's repmgr and repmgrd. Times add up so that a lost host costs at most 15 s, most of them waiting
 * for a host that does not answer: it is noticed within 3 s, tried once more (3 s), and asked by `may-promote` (2 s). A server that stalls for longer than 6 s loses its place; nothing else is lost.
 */
export function repmgrConf(deployment: PostgresDeployment, host: Host): string {
  const script = (call: string): string => `'${paths.etc}/${call}'`;
  const connection = [
    `host=${host.address} port=${ports.postgres} user=repmgr dbname=repmgr`,
    `sslmode=verify-full sslrootcert=${paths.authority}`,
    'connect_timeout=2 keepalives_idle=2 keepalives_interval=1 keepalives_count=3 tcp_user_timeout=5000',
  ];
  return `node_id=${deployment.hosts.findIndex(({ name }) => name === host.name) + 1}
node_name='${host.name}'
conninfo='${connection.join(' ')}'
passfile='${paths.passwords}'
data_directory='${paths.data}'
pg_bindir='${binariesOf(deployment.postgresql)}'
location='${deployment.location}'
priority=100
use_replication_slots=yes

failover=automatic
monitor_interval_secs=1
connection_check_type=ping
reconnect_attempts=1
reconnect_interval=1
async_query_timeout=5
# A host that alone lost sight of the primary does not replace it, nor does one that alone is left: may-promote sees to both,
# and is asked again every 2 s. repmgr's own consensus is asked once: two standbys that do not notice in the same second
# would both leave it at that, and nobody would take over.
primary_visibility_consensus=false
failover_validation_command=${script('may-promote')}
election_rerun_interval=2
# Who was not chosen waits for the one that was, and takes part in no other election meanwhile. It follows without being told.
primary_notification_timeout=6
promote_command=${script('promote --asked')}
follow_command=${script('follow %n')}

# A primary that all its standbys have left is stopped before, or soon after, another takes its place.
child_nodes_check_interval=1
child_nodes_disconnect_timeout=3
child_nodes_disconnect_command=${script('fence')}

# No history of measurements in the database: it would grow without bound.
monitoring_history=no
log_facility=STDERR
log_level=NOTICE
log_status_interval=0
`;
}
