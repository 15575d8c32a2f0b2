import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { inTocsin } from './paths.ts';

/** Where servers of tests keep their data: `.tocsin/tmp`, or the folder of the present test run (TOCSIN_TMP). */
export function temporaryRoot(): string {
  const root = process.env.TOCSIN_TMP ?? inTocsin('tmp');
  mkdirSync(root, { recursive: true });
  return root;
}

/** A new folder there; whoever asked for it deletes it. Its name says which process that is. */
export function temporaryDir(prefix: string): string {
  return mkdtempSync(join(temporaryRoot(), `${prefix}-${process.pid}-`));
}

/** So long after its maker, nothing of a killed run is at work any more. */
const FORGOTTEN_AFTER_MS = 6 * 3_600_000;

/** Deletes what killed runs left behind, and nothing of a run at work, however long it takes. */
export function removeForgotten(): void {
  for (const name of readdirSync(temporaryRoot())) {
    const folder = join(temporaryRoot(), name);
    const age = Date.now() - (statSync(folder, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
    if (age > FORGOTTEN_AFTER_MS && !makerLives(name)) rmSync(folder, { recursive: true, force: true });
  }
}

/** A later process with the same id only keeps a folder for longer. */
function makerLives(name: string): boolean {
  const pid = Number(/-(\d+)-\w+$/.exec(name)?.[1]);
  if (!pid) return false;
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // It lives, but is not ours.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
