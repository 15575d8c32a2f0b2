import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The root folder of this clone. */
export const projectRoot = resolve(fileURLToPath(new URL('../../..', import.meta.url)));

/** Everything that running Tocsin from this clone writes lives here; deleting it forgets it all. */
export const tocsinDir = join(projectRoot, '.tocsin');

/** A path under `.tocsin/`. */
export function inTocsin(...parts: string[]): string {
  return join(tocsinDir, ...parts);
}
