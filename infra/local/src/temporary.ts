import { mkdirSync, mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { inTocsin } from './paths.ts';

/** Where servers of tests keep their data: `.tocsin/tmp`, or the folder of the present test run (TOCSIN_TMP). */
export function temporaryRoot(): string {
  const root = process.env.TOCSIN_TMP ?? inTocsin('tmp');
  mkdirSync(root, { recursive: true });
  return root;
}

/** A new folder there; whoever asked for it deletes it. */
export function temporaryDir(prefix: string): string {
  return mkdtempSync(join(temporaryRoot(), `${prefix}-`));
}
