/**
 * Bundles one app into a folder that runs with nothing but Node: `node infra/tools/build/build.ts apps/<name>`.
 *
 *   dist/apps/<name>/bin/main.js     the app with everything it imports
 *   dist/apps/<name>/migrations/     copied when the app has them
 *   dist/apps/<name>/assets/         the app's own, and what `assets.ts` lists for it
 *   dist/apps/<name>/package.json    name, version and the Node it needs
 *
 * All code lies in `bin/`, as all source lies in `src/`, so `new URL('../migrations/', import.meta.url)` holds in both.
 */
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'rolldown';
import { copyAssets } from './assets.ts';
import { optionalImports } from './optional-imports.ts';

const root = resolve(fileURLToPath(new URL('../../..', import.meta.url)));

/** Bundles the app whose folder is given relative to the root; throws with rolldown's message when it can't. */
export async function buildApp(folder: string, outRoot = join(root, 'dist')): Promise<string> {
  const source = join(root, folder);
  const main = join(source, 'src/main.ts');
  if (!existsSync(main))
    throw new Error(`${folder} has no src/main.ts; name the folder of an app, such as apps/prober.`);
  const out = join(outRoot, folder);
  await rm(out, { recursive: true, force: true });
  await mkdir(out, { recursive: true });
  await build({
    input: { main },
    cwd: root,
    platform: 'node',
    tsconfig: join(root, 'tsconfig.base.json'),
    transform: { target: 'node24' },
    plugins: [optionalImports()],
    treeshake: { moduleSideEffects: true },
    logLevel: 'warn',
    onLog: (level, log, forward) => {
      // Dependencies' own eval and circular imports are theirs to judge.
      if (!['EVAL', 'CIRCULAR_DEPENDENCY', 'COMMONJS_VARIABLE_IN_ESM'].includes(log.code ?? '')) forward(level, log);
    },
    output: {
      dir: join(out, 'bin'),
      format: 'esm',
      sourcemap: true,
      keepNames: true,
      // Nest needs reflect-metadata evaluated before its classes, as their imports say; chunks alone do not keep that order.
      strictExecutionOrder: true,
      entryFileNames: '[name].js',
      chunkFileNames: '[name]-[hash].js',
    },
  });
  await describeApp(source, out);
  for (const part of ['migrations', 'assets']) {
    if (existsSync(join(source, part))) await cp(join(source, part), join(out, part), { recursive: true });
  }
  await copyAssets(basename(folder), join(out, 'assets'));
  return out;
}

async function describeApp(source: string, out: string): Promise<void> {
  const own = JSON.parse(await readFile(join(source, 'package.json'), 'utf8')) as { name: string; version: string };
  const described = {
    name: own.name,
    version: own.version,
    private: true,
    type: 'module',
    main: 'bin/main.js',
    scripts: { start: 'node bin/main.js' },
    engines: { node: '>=24' },
  };
  await writeFile(join(out, 'package.json'), `${JSON.stringify(described, null, 2)}\n`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = process.argv[2];
  if (!folder) throw new Error('Which app? Use: node infra/tools/build/build.ts apps/<name>');
  const started = performance.now();
  await buildApp(folder.replace(/\/$/, ''));
  console.log(`dist/${folder} built in ${Math.round(performance.now() - started)} ms`);
}
