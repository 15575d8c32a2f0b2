import { existsSync, renameSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { inTocsin, tocsinDir } from './paths.ts';
import { identify, isRunning, type ProcessIdentity } from './process-identity.ts';

/** Another `npm start` of this clone is at work. */
export class AlreadyRunning extends Error {}

interface Lock extends ProcessIdentity {
  /** Everything that it started, so that a later start can wait until the last has gone. */
  children: ProcessIdentity[];
}

/** How long the processes of a killed `npm start` may take to go; its watchdog stops them within 6 s. */
const LEFTOVERS_MS = 15_000;

/**
 * Makes this the one `npm start` of this clone; resolves with the release.
 * @throws AlreadyRunning with the addresses of the running one.
 */
export async function claim(): Promise<() => Promise<void>> {
  mkdirSync(tocsinDir, { recursive: true });
  const file = inTocsin('start.lock');
  const self = await identify(process.pid);
  for (let attempt = 0; attempt < 3; attempt++) {
    const written = writeNew(file, { pid: process.pid, startedAt: self?.startedAt ?? '', children: [] });
    if (written) {
      return async () => {
        rmSync(file, { force: true });
      };
    }
    const other = read(file);
    if (other && (await isRunning(other))) throw new AlreadyRunning(describe(other));
    if (other) await leftoversGone(other.children);
    rmSync(file, { force: true });
  }
  throw new AlreadyRunning('Another `npm start` of this clone is starting at this moment.');
}

/** Notes which processes belong to the running Tocsin. */
export async function noteChildren(pids: number[]): Promise<void> {
  const file = inTocsin('start.lock');
  const lock = read(file);
  if (!lock || lock.pid !== process.pid) return;
  const children = await Promise.all(pids.map((pid) => identify(pid)));
  // In one step: whoever reads it meanwhile must not take half a lock for a stale one.
  writeFileSync(`${file}.new`, JSON.stringify({ ...lock, children: children.filter((child) => child !== undefined) }));
  renameSync(`${file}.new`, file);
}

function writeNew(file: string, lock: Lock): boolean {
  try {
    writeFileSync(file, JSON.stringify(lock), { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function read(file: string): Lock | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Lock;
  } catch {
    return undefined;
  }
}

async function leftoversGone(children: ProcessIdentity[]): Promise<void> {
  const deadline = Date.now() + LEFTOVERS_MS;
  for (const child of children) {
    while (await isRunning(child)) {
      if (Date.now() > deadline) {
        throw new Error(
          `Process ${child.pid} of an earlier \`npm start\` is still running; end it with: kill ${child.pid}`,
        );
      }
      await delay(100);
    }
  }
}

function describe(lock: Lock): string {
  const file = inTocsin('runtime.json');
  const line = `Tocsin is already running here (process ${lock.pid}); stop it with Ctrl-C in its terminal or: kill ${lock.pid}`;
  if (!existsSync(file)) return line;
  const { gateways } = JSON.parse(readFileSync(file, 'utf8')) as { gateways?: string[] };
  return `${line}\nIts gateways: ${gateways?.join(' ') ?? 'not up yet'}`;
}
