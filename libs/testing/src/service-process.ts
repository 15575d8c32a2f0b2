import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { freePort, guard, projectRoot, unguard } from './servers/index.ts';
import { atTheEnd } from './cleanup.ts';
import { until } from './until.ts';

/** A sub-service run from source as a process of its own, as it would be in production. */
export interface ServiceProcess {
  readonly pid: number;
  /** The address of its health pages. */
  readonly url: string;
  /** All that it has logged. */
  logs(): string;
  /** Sends a signal: SIGKILL, SIGSTOP, SIGCONT. */
  kill(signal: NodeJS.Signals): void;
  /** Asks it to stop and waits until it has; returns its exit code. */
  stop(): Promise<number | null>;
}

const MOST_LOG = 2_000_000;

/**
 * Runs an app from source against given servers and waits until it is ready. It is killed at the end of the test file.
 * @param app the folder's name under `apps/`
 * @param env on top of this process's own, such as `TOCSIN_NATS_URLS`
 * @throws with its log when it is not ready within a minute
 */
export async function startService(app: string, env: Record<string, string>): Promise<ServiceProcess> {
  const port = await freePort();
  const main = join(projectRoot, 'apps', app, 'src/main.ts');
  const child = spawn(process.execPath, ['--import', '@oxc-node/core/register', main], {
    cwd: projectRoot,
    // What tests watch and call is on loopback, which is denied by default.
    env: { ...process.env, TOCSIN_TARGETS_ALLOW: '127.0.0.0/8,::1', ...env, TOCSIN_HTTP_PORT: String(port) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const pid = child.pid!;
  guard(pid, 'SIGKILL');
  child.once('exit', () => unguard(pid));
  let log = '';
  const collect = (chunk: Buffer) => (log = (log + chunk.toString()).slice(-MOST_LOG));
  child.stdout.on('data', collect);
  child.stderr.on('data', collect);
  const running = () => child.exitCode === null && child.signalCode === null;
  const kill = (signal: NodeJS.Signals) => void (running() && child.kill(signal));
  atTheEnd(() => kill('SIGKILL'));
  const url = `http://127.0.0.1:${port}`;
  await until(async () => (await fetch(`${url}/health/ready`)).ok, { timeoutMs: 60_000, what: `${app} ready` }).catch(
    (cause: unknown) => {
      throw new Error(`${app} is not ready. Its log:\n${log}`, { cause });
    },
  );
  return {
    pid,
    url,
    logs: () => log,
    kill,
    async stop() {
      if (running()) {
        const ended = once(child, 'exit');
        child.kill('SIGTERM');
        await ended;
      }
      return child.exitCode;
    },
  };
}
