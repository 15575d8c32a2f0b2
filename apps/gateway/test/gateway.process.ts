import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { atTheEnd } from '@tocsin/testing';

const app = join(import.meta.dirname, '..');

/** A gateway from source in a process of its own, as it runs for people. */
export interface RunningGateway {
  url: string;
  process: ChildProcess;
  logs: string[];
}

/** Starts a gateway against given servers and waits until it is ready; it is stopped after the last test. */
export async function startGateway(env: Record<string, string>): Promise<RunningGateway> {
  const child = spawn(process.execPath, ['--import', '@oxc-node/core/register', join(app, 'src/main.ts')], {
    cwd: join(app, '../..'),
    env: { PATH: process.env['PATH'] ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  atTheEnd(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGTERM');
    await once(child, 'exit');
  });
  const logs: string[] = [];
  createInterface({ input: child.stderr }).on('line', (line) => logs.push(line));
  const port = await new Promise<number>((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      logs.push(line);
      const read = line.startsWith('{') ? (JSON.parse(line) as { msg?: string; port?: number }) : {};
      if (read.msg === 'ready' && read.port !== undefined) resolve(read.port);
    });
    child.once('exit', (code) => reject(new Error(`The gateway ended with ${code}:\n${logs.join('\n')}`)));
  });
  return { url: `http://127.0.0.1:${port}`, process: child, logs };
}
