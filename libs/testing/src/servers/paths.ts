import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The root folder of this clone. */
export const projectRoot = resolve(fileURLToPath(new URL('../../../..', import.meta.url)));

/**
 * Everything that running Tocsin from this clone writes lives here; deleting it forgets it all. TOCSIN_DIR moves it, so
 * that several can run from one clone.
 */
const tocsinDir = process.env.TOCSIN_DIR ? resolve(process.env.TOCSIN_DIR) : join(projectRoot, '.tocsin');

/** Programs that were fetched, shared by all that run from this clone. */
export function inServers(...parts: string[]): string {
  return join(projectRoot, '.tocsin', 'servers', ...parts);
}

/** A path under `.tocsin/` (or TOCSIN_DIR). */
export function inTocsin(...parts: string[]): string {
  return join(tocsinDir, ...parts);
}

/** Where built apps are taken from; TOCSIN_APPS_DIR names another folder, in which a drill can exchange them. */
export const appsDir = process.env.TOCSIN_APPS_DIR
  ? resolve(process.env.TOCSIN_APPS_DIR)
  : join(projectRoot, 'dist/apps');
