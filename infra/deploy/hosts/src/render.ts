import type { Deployment } from './deployment.ts';
import { haproxyFiles } from './edge/haproxy.ts';
import { keepalivedFiles } from './edge/keepalived.ts';
import { withLvs } from './edge/lvs.ts';
import type { Host } from './inventory.ts';
import { natsFiles } from './nats/nats.ts';
import { postgresFiles } from './postgres/postgres.ts';
import { redisFiles } from './redis/redis.ts';
import { ETC, readableBy, type RenderedFile } from './rendered.ts';
import { serviceFiles } from './services/services.ts';
import { staticFiles } from './static-files.ts';

/** Every server of a host may show the host's certificate; they share this group and nothing else. */
const TLS_GROUP = 'tocsin-tls';

/** Every file of one host. */
export function render(deployment: Deployment, host: Host): RenderedFile[] {
  const files = [
    ...certificateFiles(deployment, host),
    ...haproxyFiles(deployment, host),
    ...keepalivedFiles(deployment, host),
    ...natsFiles(deployment, host),
    ...redisFiles(deployment, host),
    ...postgresFiles(deployment, host),
    ...serviceFiles(deployment, host),
    ...staticFiles(),
  ];
  return deployment.edge.kind === 'lvs' ? withLvs(deployment, host, files) : files;
}

function certificateFiles({ certificates }: Deployment, host: Host): RenderedFile[] {
  const own = certificates.hosts.get(host.name);
  if (own === undefined) throw new Error(`There is no certificate for the host ${host.name}.`);
  return [
    { path: `${ETC}/ca.crt`, content: certificates.authority },
    { path: `${ETC}/tls/host.crt`, content: own.certificate },
    readableBy(TLS_GROUP, `${ETC}/tls/host.key`, own.key),
  ];
}
