import { permissionsOf, serviceNames } from '@tocsin/contracts';
import { type Deployment, othersOf } from '../deployment.ts';
import type { Host } from '../inventory.ts';
import { ports } from '../ports.ts';
import { ETC, readableBy, type RenderedFile, RUN, STATE } from '../rendered.ts';

const GROUP = 'tocsin-nats';
/** By this the guard knows the server's process. */
const PID_FILE = `${RUN}/nats/nats.pid`;

/**
 * One node of the cluster. All that is measured and decided stands in the configuration itself; accounts lie in a file of
 * their own, the same on every host. What its guard (infra/deploy/nats-guard) must know is an environment file, which holds no secret.
 */
export function natsFiles(deployment: Deployment, host: Host): RenderedFile[] {
  return [
    readableBy(GROUP, `${ETC}/nats/nats.conf`, configuration(deployment, host)),
    readableBy(GROUP, `${ETC}/nats/accounts.conf`, accounts(deployment)),
    { path: `${ETC}/nats/guard.env`, content: guardEnvironment(deployment, host) },
  ];
}

function guardEnvironment(deployment: Deployment, host: Host): string {
  const { routes, monitoring } = ports.nats;
  const peers = othersOf(deployment, host).map(({ address }) => `${address}:${routes}`);
  return `TOCSIN_NATS_PEERS=${peers.join(',')}
TOCSIN_NATS_MONITORING=${monitoring}
TOCSIN_NATS_PID_FILE=${PID_FILE}
`;
}

function configuration(deployment: Deployment, host: Host): string {
  const routes = othersOf(deployment, host).map(({ address }) => `"nats://${address}:${ports.nats.routes}"`);
  const { clients, routes: routePort, monitoring } = ports.nats;
  return `# A node of Tocsin's broker. Rendered from the inventory: changes belong there.
server_name: "${host.name}"
listen: "${host.address}:${clients}"
# Figures for an exporter on this host, and for the guard.
http: "127.0.0.1:${monitoring}"
pid_file: "${PID_FILE}"

jetstream {
  store_dir: "${STATE}/nats"
  max_memory_store: 256MB
  max_file_store: 16GB
  # What is acknowledged is on the disk, on two hosts of three: it survives that all lose power at once.
  sync_interval: always
}

max_payload: 1MB
write_deadline: "5s"
# A frozen peer or client is dropped after two pings without an answer.
ping_interval: "1s"
ping_max: 2
# A stop in order sends the clients to the other nodes first.
lame_duck_grace_period: "2s"
lame_duck_duration: "30s"

tls {
  ${certificate('client')}
}

cluster {
  name: tocsin
  listen: "${host.address}:${routePort}"
  routes: [${routes.join(', ')}]
  ping_interval: "1s"
  ping_max: 2
  # Clients have all addresses; what nodes tell of each other must not lead around the way that was chosen.
  no_advertise: true
  tls {
    ${certificate('peer')}
    # Whoever joins must have a certificate of this deployment.
    verify: true
  }
}

include accounts.conf
`;
}

function certificate(whose: 'client' | 'peer'): string {
  const files = [`cert_file: "${ETC}/tls/host.crt"`, `key_file: "${ETC}/tls/host.key"`, `ca_file: "${ETC}/ca.crt"`];
  return files.join(whose === 'client' ? '\n  ' : '\n    ');
}

function accounts({ secrets }: Deployment): string {
  const users = serviceNames.map((name) => {
    const { publish, subscribe } = permissionsOf(name);
    return `      {
        user: ${name}, password: ${quoted(secrets.nats[name])}
        permissions: {
          publish: {
            allow: ${list(publish.allow)}
            deny: ${list(publish.deny)}
          }
          subscribe: ${list(subscribe)}
        }
      }`;
  });
  return `# Who may do what: each sub-service has a user, which may use its own subjects and no other.
accounts {
  TOCSIN {
    jetstream: enabled
    users: [
${users.join('\n')}
      # May do everything: for a person who looks for a fault. No service has it.
      { user: operator, password: ${quoted(secrets.nats.operator)} }
    ]
  }
  SYS {
    users: [{ user: system, password: ${quoted(secrets.nats.system)} }]
  }
}
system_account: SYS
`;
}

function list(subjects: readonly string[]): string {
  return `[\n${subjects.map((subject) => `            ${quoted(subject)}`).join('\n')}\n          ]`;
}

function quoted(text: string): string {
  return JSON.stringify(text);
}
