import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { projectRoot } from '@tocsin/local';
import { until } from './until.ts';

/** `runtime.json`: where everything of a running Tocsin is. */
export interface TocsinRuntime {
  pid: number;
  gateways: string[];
  instances: { service: string; instance: string; pid: number; health: string; log: string }[];
  servers: Record<string, { url: string; pid: number }>;
  tokenFile: string;
  /** The pages of Jaeger, where it runs beside. */
  jaeger?: string;
}

export interface StartedTocsin {
  readonly gateways: string[];
  /** The first admin's API token. */
  readonly token: string;
  /** Read anew each time: process ids change when something is restarted. */
  readonly runtime: TocsinRuntime;
  /** The database as its superuser: the oracle looks at the record itself. */
  readonly databaseUrl: string;
  /** The broker, with the login of the services. */
  readonly nats: { url: string; user: string; password: string };
  /** What an instance has logged. */
  logs(instance: string): string;
  stop(): Promise<void>;
}

/**
 * Starts all of Tocsin as a person does, by the program behind `npm start`, in a folder of its own that is deleted when
 * it stops. Resolves when every instance is ready.
 * @param o.env goes to every service
 * @throws with the program's output when it is not ready within two minutes
 */
export async function startTocsin(
  o: { instances?: number; env?: Record<string, string>; ownMonitor?: boolean } = {},
): Promise<StartedTocsin> {
  const dir = mkdtempSync(join(tmpdir(), 'tocsin-'));
  const child = spawn(
    process.execPath,
    [
      '--import',
      '@oxc-node/core/register',
      join(projectRoot, 'infra/local/src/start.ts'),
      '--instances',
      String(o.instances ?? 2),
      '--port',
      '0',
      ...(o.ownMonitor === true ? [] : ['--no-own-monitor']),
    ],
    { cwd: projectRoot, env: { ...process.env, ...o.env, TOCSIN_DIR: dir }, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] },
  );
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
    rmSync(dir, { recursive: true, force: true });
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
  const secrets = JSON.parse(readFileSync(join(dir, 'secrets.json'), 'utf8')) as {
    postgresPassword: string;
    natsPassword: string;
  };
  const database = new URL(runtime().servers['postgres']!.url);
  Object.assign(database, { username: 'tocsin_admin', password: secrets.postgresPassword, pathname: '/tocsin' });
  return {
    databaseUrl: database.href,
    nats: { url: runtime().servers['nats']!.url, user: 'tocsin', password: secrets.natsPassword },
    gateways: runtime().gateways,
    token: readFileSync(runtime().tokenFile, 'utf8').trim(),
    get runtime() {
      return runtime();
    },
    logs: (instance) => readFileSync(runtime().instances.find((each) => each.instance === instance)!.log, 'utf8'),
    stop,
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
