import { randomUUID } from 'node:crypto';
import { existsSync, renameSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { inTocsin } from '@tocsin/testing/servers';
import { identify, isRunning, type ProcessIdentity } from './process-identity.ts';

/** Another `npm start` of this clone is at work. */
export class AlreadyRunning extends Error {}

interface Lock extends ProcessIdentity {
  /** Everything that it started, so that a later start can wait until the last has gone. */
  children: ProcessIdentity[];
}

/**
 * The lock is a folder with one file in it, whose name is nobody else's. A folder can be put in the place of an empty one
 * only, in one step, and a file is deleted by its name: so whoever deletes a stale lock cannot hit the one that came after.
 */
const folder = inTocsin('start-lock');

/** How long the processes of a killed `npm start` may take to go; its watchdog stops them within 6 s. */
const LEFTOVERS_MS = 15_000;

/**
 * Makes this the one `npm start` of this clone; resolves with the release.
 * @throws AlreadyRunning with the addresses of the running one.
 */
export async function claim(): Promise<() => Promise<void>> {
  const self = await identify(process.pid);
  const name = randomUUID();
  const own = `${folder}.${name}`;
  mkdirSync(own, { recursive: true });
  writeLock(join(own, name), { pid: process.pid, startedAt: self?.startedAt ?? '', children: [] });
  try {
    for (let attempt = 0; attempt < 3; attempt++) {
      if (putInPlace(own)) {
        return async () => {
          rmSync(join(folder, name), { force: true });
        };
      }
      const other = present();
      if (!other) continue;
      if (await isRunning(other.lock)) throw new AlreadyRunning(describe(other.lock));
      await leftoversGone(other.lock.children);
      rmSync(other.file, { force: true });
    }
    throw new AlreadyRunning('Another `npm start` of this clone is starting at this moment.');
  } finally {
    rmSync(own, { recursive: true, force: true });
  }
}

/** Notes which processes belong to the running Tocsin. */
export async function noteChildren(pids: number[]): Promise<void> {
  const children = await Promise.all(pids.map((pid) => identify(pid)));
  const own = present();
  if (own?.lock.pid !== process.pid) return;
  // In one step: whoever reads it meanwhile must not find half a lock.
  const next = `${folder}.new`;
  writeLock(next, { ...own.lock, children: children.filter((child) => child !== undefined) });
  renameSync(next, own.file);
}

/** @returns whether the lock was free */
function putInPlace(own: string): boolean {
  try {
    renameSync(own, folder);
    return true;
  } catch (error) {
    if (['ENOTEMPTY', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) return false;
    throw error;
  }
}

function writeLock(file: string, lock: Lock): void {
  writeFileSync(file, JSON.stringify(lock), { mode: 0o600 });
}

/** The lock that is there now. */
function present(): { file: string; lock: Lock } | undefined {
  try {
    const [name] = readdirSync(folder);
    if (name === undefined) return undefined;
    const file = join(folder, name);
    return { file, lock: parse(readFileSync(file, 'utf8')) };
  } catch (error) {
    // It was given back at this moment.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** A machine that lost power may have kept half of it: nobody's, then. */
function parse(text: string): Lock {
  try {
    return JSON.parse(text) as Lock;
  } catch {
    return { pid: -1, startedAt: '', children: [] };
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
