import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot, temporaryDir, type TocsinRuntime } from './servers/index.ts';
import { tocsinControl, type TocsinControl } from './tocsin-control.ts';
import { until } from './until.ts';

export interface StartTocsinOptions {
  /** Of each sub-service; default 2. */
  instances?: number;
  /** Goes to every service. */
  env?: Record<string, string>;
  /** Whether it watches its own gateway; default not. */
  ownMonitor?: boolean;
  /** Three NATS nodes instead of one. */
  cluster?: boolean;
  /** All connections go through links that `control` can cut. */
  drill?: boolean;
  /** Built apps of another folder than dist/apps; nothing is built then. */
  appsDir?: string;
}

export interface StartedTocsin {
  readonly gateways: string[];
  /** The first admin's API token. */
  readonly token: string;
  /** Read anew each time: process ids change when something is restarted. */
  readonly runtime: TocsinRuntime;
  /** The database as its superuser, past all links: the oracle looks at the record itself. */
  readonly databaseUrl: string;
  /** The addresses of all brokers, past all links, with the login of the operator, who may do everything. */
  readonly nats: { urls: string[]; user: string; password: string };
  /** Cuts and holds; every call throws without `drill`. */
  readonly control: TocsinControl;
  /** What an instance has logged. */
  logs(instance: string): string;
  /** @throws when the broker refused a service anything while it ran: its rights are too few */
  stop(): Promise<void>;
}

/**
 * Starts all of Tocsin as a person does, by the program behind `npm start`, in a folder of its own that is deleted when
 * it stops. Resolves when every instance is ready.
 * @throws with the program's output when it is not ready within two minutes
 */
export async function startTocsin(o: StartTocsinOptions = {}): Promise<StartedTocsin> {
  const dir = temporaryDir('tocsin');
  const child = spawn(process.execPath, commandLine(o), {
    cwd: projectRoot,
    env: {
      ...process.env,
      ...o.env,
      TOCSIN_DIR: dir,
      ...(o.appsDir === undefined ? {} : { TOCSIN_APPS_DIR: o.appsDir }),
    },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  let output = '';
  const collect = (chunk: Buffer) => (output = (output + chunk.toString()).slice(-20_000));
  child.stdout?.on('data', collect);
  child.stderr?.on('data', collect);
  const runtime = () => JSON.parse(readFileSync(join(dir, 'runtime.json'), 'utf8')) as TocsinRuntime;
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
    }
    try {
      // After a crash of the program, what it ran goes on writing, and makes folders anew, until its watchdog ends it.
      if (existsSync(join(dir, 'runtime.json'))) await allGone(runtime());
      const refused = refusedByBroker(join(dir, 'logs'));
      if (refused.length > 0) throw new Error(`The broker refused what a service needs:\n${refused.join('\n')}`);
    } finally {
      rmSync(dir, { recursive: true, force: true, maxRetries: 20, retryDelay: 500 });
    }
  };
  try {
    const ready = until(async () => existsSync(join(dir, 'runtime.json')) && (await allReady(runtime())), {
      timeoutMs: 120_000,
      what: 'every instance ready',
    });
    const ended = once(child, 'exit').then(() => Promise.reject(new Error('it ended')));
    await Promise.race([ready, ended]);
  } catch (cause) {
    await stop();
    throw new Error(`Tocsin did not start. Its output ends with:\n${output}`, { cause });
  }
  return {
    ...ownAddresses(runtime(), join(dir, 'secrets.json')),
    control: tocsinControl(runtime().control),
    gateways: runtime().gateways,
    token: readFileSync(runtime().tokenFile, 'utf8').trim(),
    get runtime() {
      return runtime();
    },
    logs: (instance) => readFileSync(runtime().instances.find((each) => each.instance === instance)!.log, 'utf8'),
    stop,
  };
}

function commandLine(o: StartTocsinOptions): string[] {
  return [
    ['--import', '@oxc-node/core/register', join(projectRoot, 'infra/tools/local/src/start.ts')],
    ['--instances', String(o.instances ?? 2), '--port', '0'],
    o.ownMonitor === true ? [] : ['--no-own-monitor'],
    o.cluster === true ? ['--cluster'] : [],
    o.drill === true ? ['--drill'] : [],
  ].flat();
}

/** What a service did that its user may not: each of it once. */
function refusedByBroker(logs: string): string[] {
  if (!existsSync(logs)) return [];
  const files = readdirSync(logs).filter((file) => file.startsWith('nats'));
  const lines = files.flatMap((file) => readFileSync(join(logs, file), 'utf8').split('\n'));
  const violations = lines.flatMap(
    (line) => /\[ERR\] (.* (?:Publish|Subscription) Violation .*)/.exec(line)?.[1] ?? [],
  );
  return [...new Set(violations)].slice(0, 50);
}

/** How an oracle reaches the servers, whatever is cut. */
function ownAddresses(runtime: TocsinRuntime, secretsFile: string): Pick<StartedTocsin, 'databaseUrl' | 'nats'> {
  const secrets = JSON.parse(readFileSync(secretsFile, 'utf8')) as { postgresPassword: string; natsPassword: string };
  const nodes = Object.entries(runtime.servers).filter(([name]) => name.startsWith('nats'));
  const { host } = new URL(runtime.servers['postgres']!.url);
  return {
    databaseUrl: `postgres://tocsin_admin:${encodeURIComponent(secrets.postgresPassword)}@${host}/tocsin`,
    nats: { urls: nodes.map(([, { url }]) => url), user: 'tocsin', password: secrets.natsPassword },
  };
}

async function allReady(runtime: TocsinRuntime): Promise<boolean> {
  const answers = await Promise.all(
    runtime.instances.map(({ health }) =>
      fetch(health).then(
        (response) => response.ok,
        () => false,
      ),
    ),
  );
  return answers.length > 0 && answers.every(Boolean);
}

async function allGone({ instances, servers, links }: TocsinRuntime): Promise<void> {
  const pids = [...instances, ...Object.values(servers), ...(links ? [links] : [])].map(({ pid }) => pid);
  await until(() => !pids.some(lives), { timeoutMs: 15_000, what: 'the end of all that a killed start ran' });
}

function lives(pid: number): boolean {
  try {
    // Of 0 and below, as of what does not run, it would ask about other processes.
    return pid > 0 && process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}
