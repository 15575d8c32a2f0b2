import type { Certificate } from '../certificates.ts';
import type { Host, Inventory } from '../inventory.ts';
import { ports } from '../ports.ts';
import { ETC, readableBy, type RenderedFile } from '../rendered.ts';
import { filled } from './template.ts';

/** What the balancer is made from. */
export type EdgeDeployment = Inventory & { certificates: { edge: Certificate } };

const GROUP = 'tocsin-haproxy';
const HTTPS = 443;

/** The gateway's own defaults, which the inventory may change. */
const ANSWER_MS = 5_000;
const MAX_REQUESTS = 512;
const MAX_STREAMS = 500;
/** As long as the gateway waits at most when a caller asks for it with `Prefer: wait`, and for the broker with a heartbeat. */
const PATIENT_MS = 30_000;
const HEARTBEAT_MS = 15_000;
/** What an answer may take on its way. A gateway that says nothing for so long is frozen. */
const MARGIN_MS = 1_000;
/** Changes without a key are few. */
const ONCE_SHARE = 0.2;

/** The balancer of a host: the same on every host, as each can hold every floating address. */
export function haproxyFiles(deployment: EdgeDeployment, _host: Host): RenderedFile[] {
  const { certificate, key } = deployment.certificates.edge;
  return [
    { path: `${ETC}/haproxy/haproxy.cfg`, content: configuration(deployment) },
    readableBy(GROUP, `${ETC}/haproxy/edge.pem`, `${certificate.trim()}\n${key.trim()}\n`),
  ];
}

function configuration(deployment: EdgeDeployment): string {
  const { addresses, port } = deployment.edge;
  const answerMs = setting(deployment, 'TOCSIN_ANSWER_MS', ANSWER_MS);
  // Balancers do not know of each other: what a gateway takes at a time is shared out among those that serve.
  const requests = share(deployment, 'TOCSIN_MAX_REQUESTS', MAX_REQUESTS);
  const once = Math.max(1, Math.floor(requests * ONCE_SHARE));
  const edge = filled('haproxy.cfg', {
    binds: on(addresses, port),
    answerTimeout: answerMs + MARGIN_MS,
    heartbeatTimeout: Math.max(HEARTBEAT_MS, answerMs) + MARGIN_MS,
    patientTimeout: PATIENT_MS + MARGIN_MS,
    repeatable: following(deployment, Math.max(1, requests - once)),
    once: following(deployment, once),
    events: following(deployment, share(deployment, 'TOCSIN_MAX_STREAMS', MAX_STREAMS)),
    gateways: gateways(deployment, ({ name }, address) => [`server ${name} ${address}`]),
    statsPort: ports.haproxyStats,
  });
  return port === HTTPS ? edge + filled('redirect.cfg', { plainBinds: on(addresses, 80) }) : edge;
}

/**
 * Ready gateways; and, when none is ready, those that live: without the broker they still answer from memory, and say
 * themselves what they can't do.
 */
function following(deployment: EdgeDeployment, maxconn: number): string {
  const servers = gateways(deployment, ({ name }, address) => [
    `server ${name} ${address} track ready/${name} maxconn ${maxconn}`,
    `server ${name}-unready ${address} track live/${name} maxconn ${maxconn} backup`,
  ]);
  return `    option allbackups\n${servers}`;
}

function gateways({ hosts }: EdgeDeployment, linesOf: (host: Host, address: string) => string[]): string {
  return hosts
    .flatMap((host) => linesOf(host, `${host.address}:${ports.services.gateway}`))
    .map((line) => `    ${line}`)
    .join('\n');
}

function on(addresses: readonly string[], port: number): string {
  return addresses.map((address) => `${address}:${port}`).join(',');
}

function share(deployment: EdgeDeployment, name: string, otherwise: number): number {
  const { hosts, edge } = deployment;
  const serving = edge.kind === 'lvs' ? hosts.length : edge.addresses.length;
  return Math.max(1, Math.floor(setting(deployment, name, otherwise) / serving));
}

/** @throws Error when the inventory gives the gateway something else than a whole number */
function setting({ settings }: EdgeDeployment, name: string, otherwise: number): number {
  const text = settings['gateway']?.[name] || String(otherwise);
  if (!/^\d{1,7}$/.test(text)) throw new Error(`settings.gateway.${name} must be a whole number.`);
  return Number(text);
}
