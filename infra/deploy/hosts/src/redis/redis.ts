import { cacheRulesOf, cacheUsers, sentinelRules, type ServiceName } from '@tocsin/contracts';
import type { Deployment } from '../deployment.ts';
import type { Secrets } from '../secrets.ts';
import type { Host } from '../inventory.ts';
import { ports } from '../ports.ts';
import { ETC, readableBy, type RenderedFile, RUN, STATE } from '../rendered.ts';

const GROUP = 'tocsin-redis';
/** What Sentinels call the primary, and clients ask them for. */
export const PRIMARY = 'tocsin';

/**
 * One Redis and one Sentinel. Redis is a cache: nothing is written to the disk, and what a failover loses is loaded again.
 * Who is primary is known to the Sentinels alone: at a start each Redis asks them (files/redis/start-redis).
 */
export function redisFiles(deployment: Deployment, host: Host): RenderedFile[] {
  return [
    readableBy(GROUP, `${ETC}/redis/redis.conf`, redis(deployment, host)),
    readableBy(GROUP, `${ETC}/redis/users.acl`, users(deployment)),
    readableBy(GROUP, `${ETC}/redis/sentinel.conf`, sentinel(deployment, host)),
    readableBy(GROUP, `${ETC}/redis/sentinel-users.acl`, sentinelUsers(deployment)),
    readableBy(GROUP, `${ETC}/redis/sentinel-password`, `${deployment.secrets.redis.sentinel}\n`),
    { path: `${ETC}/redis/hosts`, content: hosts(deployment, host) },
  ];
}

function tls(port: number): string {
  return `port 0
tls-port ${port}
tls-cert-file ${ETC}/tls/host.crt
tls-key-file ${ETC}/tls/host.key
tls-ca-cert-file ${ETC}/ca.crt
# Clients show a password, not a certificate.
tls-auth-clients no
tls-replication yes`;
}

function redis({ secrets }: Deployment, host: Host): string {
  return `# Tocsin's cache. Rendered from the inventory: changes belong there.
bind ${host.address} 127.0.0.1
${tls(ports.redis)}
protected-mode yes
dir ${STATE}/redis
unixsocket ${RUN}/redis/redis.sock
unixsocketperm 700

aclfile ${ETC}/redis/users.acl
masteruser replication
masterauth ${secrets.redis.replication}

# Nothing here is worth the disk.
save ""
appendonly no
maxmemory 256mb
maxmemory-policy allkeys-lru
maxclients 2000
# A replica that reads nothing is dropped before it takes the memory of everybody.
client-output-buffer-limit replica 64mb 32mb 30
client-output-buffer-limit pubsub 16mb 8mb 30

# A primary that lost both replicas takes no writes that nobody would see after the failover.
min-replicas-to-write 1
min-replicas-max-lag 3
repl-timeout 10
repl-diskless-sync yes
repl-diskless-sync-delay 0
timeout 0
tcp-keepalive 5
`;
}

/** What the start script needs to know, as a shell reads it. */
function hosts(deployment: Deployment, host: Host): string {
  return `host=${host.address}\nhosts="${deployment.hosts.map(({ address }) => address).join(' ')}"\n`;
}

function users({ secrets }: Deployment): string {
  const { replication, sentinel: watcher } = secrets.redis;
  return `user default off
${services(secrets, cacheRulesOf)}
user replication on >${replication} +psync +replconf +ping
user sentinel on >${watcher} &* +multi +slaveof +replicaof +ping +exec +subscribe +config|rewrite +role +publish +info +client|setname +client|kill +script|kill
`;
}

function sentinel({ hosts, secrets }: Deployment, host: Host): string {
  const [first] = hosts;
  return `# Watches Tocsin's cache. Rendered from the inventory; Sentinel works on a copy, in which it notes what it learns.
bind ${host.address} 127.0.0.1
${tls(ports.sentinel)}
protected-mode no
dir ${STATE}/redis
aclfile ${ETC}/redis/sentinel-users.acl
sentinel sentinel-user sentinel
sentinel sentinel-pass ${secrets.redis.sentinel}
sentinel announce-ip ${host.address}
sentinel announce-port ${ports.sentinel}
sentinel resolve-hostnames no

# Where a deployment begins; from then on the Sentinels know better.
sentinel monitor ${PRIMARY} ${first!.address} ${ports.redis} 2
sentinel auth-user ${PRIMARY} sentinel
sentinel auth-pass ${PRIMARY} ${secrets.redis.sentinel}
sentinel down-after-milliseconds ${PRIMARY} 1000
sentinel failover-timeout ${PRIMARY} 6000
sentinel parallel-syncs ${PRIMARY} 2
`;
}

/** A user for each sub-service that has a cache; and, while there is a password of theirs, the one that all of them shared. */
function services({ redis }: Secrets, rulesOf: (name: ServiceName) => string): string {
  const users = cacheUsers.map((name) => `user ${name} on >${redis[name]} ${rulesOf(name)}`);
  const shared =
    redis.service === undefined
      ? []
      : [`user tocsin on >${redis.service} ~tocsin:* &* +@all -@admin -@dangerous +info +role`];
  return [...users, ...shared].join('\n');
}

function sentinelUsers({ secrets }: Deployment): string {
  return `user default off
${services(secrets, () => sentinelRules)}
user sentinel on >${secrets.redis.sentinel} &* +@all
`;
}
