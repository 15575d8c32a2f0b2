import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { talk } from './line-client.ts';
import { freePort } from './ports.ts';
import { RunningServer } from './running.ts';
import { findOrFetchServers, serverEnv } from './servers.ts';
import { temporaryDir } from './temporary.ts';

export interface NatsOptions {
  port?: number;
  /** Where streams are stored; a new folder under `.tocsin/tmp` when not given. */
  dataDir?: string;
  /** A user who may do everything; without it everybody on loopback may. */
  user?: { name: string; password: string };
  /** More users, each with what it may do. */
  users?: readonly NatsUser[];
  /** A member of a cluster: its name, its own route port, the routes of all members, more lines for that part. */
  cluster?: { name: string; server: string; port: number; routes: number[]; config?: string };
  /** More lines for the configuration file. */
  config?: string;
  logFile?: string;
}

/** A user who may publish and subscribe to some subjects only, and answer what it is asked. */
export interface NatsUser {
  name: string;
  password: string;
  permissions: { publish: { allow: readonly string[]; deny: readonly string[] }; subscribe: readonly string[] };
}

/** A nats-server with JetStream on 127.0.0.1. */
export type RunningNats = RunningServer;

/**
 * Starts nats-server with JetStream and waits until a stream takes a message (a cluster member: until it answers).
 * @throws when it can't be found, fetched or started.
 */
export async function startNats(o: NatsOptions = {}): Promise<RunningNats> {
  const { nats } = await findOrFetchServers();
  const port = o.port ?? (await freePort());
  const dataDir = o.dataDir ?? temporaryDir('nats');
  mkdirSync(dataDir, { recursive: true });
  const file = join(dataDir, 'nats.conf');
  writeFileSync(file, configuration(o, port, dataDir), { mode: 0o600 });
  const server = new RunningServer({
    name: 'nats-server',
    url: `nats://127.0.0.1:${port}`,
    port,
    command: nats,
    args: ['-c', file],
    env: { ...serverEnv(nats), ...(o.cluster ? { GOMAXPROCS: CLUSTER_THREADS } : {}) },
    stopSignal: 'SIGTERM',
    logFile: o.logFile ?? join(dataDir, 'nats.log'),
    ready: () => (o.cluster ? answers(port, o) : takesMessages(port, o)),
  });
  await server.start();
  return server;
}

function configuration(o: NatsOptions, port: number, dataDir: string): string {
  const lines = [
    `listen: "127.0.0.1:${port}"`,
    `server_name: "${o.cluster?.server ?? `tocsin-${port}`}"`,
    `jetstream { store_dir: "${dataDir}", max_memory_store: 256MB, max_file_store: 8GB }`,
    'max_payload: 1MB',
    'write_deadline: "5s"',
  ];
  if (o.user) lines.push(`authorization { users: [${[o.user, ...(o.users ?? [])].map(userLine).join('\n')}] }`);
  if (o.cluster) {
    const routes = o.cluster.routes.map((route) => `"nats://127.0.0.1:${route}"`).join(', ');
    const listen = `listen: "127.0.0.1:${o.cluster.port}"`;
    lines.push(`cluster { name: "${o.cluster.name}", ${listen}, routes: [${routes}]`, o.cluster.config ?? '', '}');
  }
  return [...lines, o.config ?? '', ''].join('\n');
}

/** A line of the server's configuration. */
function userLine({ name, password, permissions }: Omit<NatsUser, 'permissions'> & Partial<NatsUser>): string {
  const login = `user: ${JSON.stringify(name)}, password: ${JSON.stringify(password)}`;
  if (permissions === undefined) return `{ ${login} }`;
  const { publish, subscribe } = permissions;
  const allowed = `publish: ${JSON.stringify(publish)}, subscribe: ${JSON.stringify(subscribe)}`;
  return `{ ${login}, permissions: { ${allowed} } }`;
}

/**
 * Members of a cluster share this machine's cores: left to itself, each one's scheduler wakes threads for every small
 * message, and three of them wake each other.
 */
const CLUSTER_THREADS = String(Math.max(1, Math.floor(availableParallelism() / 3)));

const STREAM = 'TOCSIN_READINESS';

/**
 * Creates a stream in memory, publishes to it, reads the acknowledgement and deletes it.
 * @throws while JetStream, or that many nodes of it, takes no write
 */
export async function takesMessages(port: number, o: Pick<NatsOptions, 'user'>, replicas = 1): Promise<void> {
  const stream = JSON.stringify({
    name: STREAM,
    subjects: ['tocsin.readiness'],
    storage: 'memory',
    retention: 'limits',
    max_bytes: 1024,
    num_replicas: replicas,
  });
  // One after the other: nodes of a cluster work on what comes together in an order of their own.
  const ask = async (subject: string, body: string, answer: RegExp): Promise<void> => {
    const received = await talk(port, hello(o) + publish(subject, body), /-ERR|MSG [^\r]*\r\n[^\r]*\r\n/);
    if (!answer.test(received)) throw new Error(`JetStream takes no write yet: ${received}`);
  };
  // A trial before this one may have left it.
  await ask(`$JS.API.STREAM.DELETE.${STREAM}`, '', /stream_delete_response/);
  await ask(`$JS.API.STREAM.CREATE.${STREAM}`, stream, /"config":/);
  await ask('tocsin.readiness', 'ready', /"seq":\s*1\b/);
  await ask(`$JS.API.STREAM.DELETE.${STREAM}`, '', /"success":\s*true/);
}

async function answers(port: number, o: NatsOptions): Promise<void> {
  const received = await talk(port, `${hello(o)}PING\r\n`, /-ERR|PONG\r\n/);
  if (!received.includes('PONG')) throw new Error(`nats-server refuses us: ${received}`);
}

function hello(o: Pick<NatsOptions, 'user'>): string {
  const login = o.user ? { user: o.user.name, pass: o.user.password } : {};
  const options = { verbose: false, pedantic: false, headers: true, name: 'tocsin-readiness', ...login };
  return `CONNECT ${JSON.stringify(options)}\r\nSUB _INBOX.readiness 1\r\n`;
}

function publish(subject: string, body: string): string {
  return `PUB ${subject} _INBOX.readiness ${Buffer.byteLength(body)}\r\n${body}\r\n`;
}
