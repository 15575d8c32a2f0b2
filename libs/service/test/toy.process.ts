import { spawn, type ChildProcess } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { Messaging } from '@tocsin/messaging';
import { until } from '@tocsin/testing';
import { buildApp } from '@tocsin/build';
import { temporaryDir } from '@tocsin/testing/servers';
import { toyContract } from './toy/src/toy.contract.ts';

type Line = Record<string, unknown>;

const started = new Set<ToyProcess>();
let built: string | undefined;

/** Builds the toy as every app is built: it starts faster than from source, and what is tested is what is shipped. */
export async function buildToy(): Promise<() => void> {
  const folder = temporaryDir('toy');
  built = join(await buildApp('libs/service/test/toy', folder), 'bin/main.js');
  return () => rmSync(folder, { recursive: true, force: true });
}

/** The toy service as a process of its own. */
export class ToyProcess {
  readonly lines: Line[] = [];
  output = '';
  readonly ended: Promise<number | null>;
  private readonly child: ChildProcess;

  constructor(env: Record<string, string>) {
    if (built === undefined) throw new Error('Call buildToy() in beforeAll.');
    this.child = spawn(process.execPath, [built], {
      env: { PATH: process.env['PATH'], ...env },
    });
    let rest = '';
    const take = (chunk: Buffer): void => {
      this.output += chunk.toString();
      const parts = (rest + chunk.toString()).split('\n');
      rest = parts.pop() ?? '';
      for (const part of parts) this.lines.push(parsed(part));
    };
    this.child.stdout?.on('data', take);
    this.child.stderr?.on('data', take);
    this.ended = new Promise((resolve) => this.child.once('close', resolve));
    started.add(this);
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  logged(msg: string): Line | undefined {
    return this.lines.find((line) => line['msg'] === msg);
  }

  async untilLogged(msg: string): Promise<Line> {
    return until(() => this.logged(msg), { timeoutMs: 15_000, what: `the toy to log "${msg}":\n${this.output}` });
  }

  /** The address of its HTTP server, as soon as it listens. */
  async url(): Promise<string> {
    const listening = (): Line | undefined => this.lines.find(({ msg }) => String(msg).startsWith('listening at '));
    const line = await until(listening, { timeoutMs: 15_000, what: `the toy to listen:\n${this.output}` });
    return `http://127.0.0.1:${String(line['port'])}`;
  }

  async get(path: string, init: RequestInit = {}): Promise<{ status: number; headers: Headers; body: Line }> {
    const response = await fetch(`${await this.url()}${path}`, init);
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: parsed(text) };
  }

  /** Waits until readiness answers with this status, and returns what it said. */
  async untilStatus(status: number): Promise<Line> {
    let last: Line = {};
    await until(
      async () => {
        const answer = await this.get('/health/ready');
        last = answer.body;
        return answer.status === status;
      },
      { timeoutMs: 15_000, what: `readiness ${status}; the log so far:\n${this.output}` },
    );
    return last;
  }

  signal(name: NodeJS.Signals): void {
    this.child.kill(name);
  }

  messages(): unknown[] {
    return this.lines.map((line) => line['msg']);
  }
}

/** Connects as a caller of the toy. */
export function connectTester(natsUrl: string): Promise<Messaging> {
  const who = { service: 'test', instance: 'test-1', servers: [natsUrl], replicas: 1 as const };
  return Messaging.connect({ ...who, contract: toyContract });
}

/** Ends every toy that a test has left behind. */
export async function endToys(): Promise<void> {
  for (const toy of started) toy.signal('SIGKILL');
  await Promise.all([...started].map((toy) => toy.ended));
  started.clear();
}

function parsed(text: string): Line {
  try {
    return JSON.parse(text) as Line;
  } catch {
    return { text };
  }
}
