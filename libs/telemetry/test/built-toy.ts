import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { buildApp } from '@tocsin/build';

const execute = promisify(execFile);

/** A process of the toy that ended: its log, and the packages whose code it loaded. */
export interface ToyRun {
  lines: Record<string, unknown>[];
  output: string;
  packages: string[];
}

/** Builds the toy as every app is built. `run` starts a process of it that has only these variables. */
export async function buildToy() {
  const out = mkdtempSync(join(tmpdir(), 'tocsin-telemetry-'));
  const folder = await buildApp('libs/telemetry/test/toy', out);
  const seeLoaded = fileURLToPath(new URL('./see-loaded.mjs', import.meta.url));
  const run = async (env: Record<string, string> = {}): Promise<ToyRun> => {
    const { stdout } = await execute(
      process.execPath,
      ['--import', pathToFileURL(seeLoaded).href, join(folder, 'bin/main.js')],
      { cwd: folder, env: { TOCSIN_INSTANCE: 'toy-1', ...env }, timeout: 30_000 },
    );
    const [output = '', loaded = ''] = stdout.split('\nloaded:');
    return { lines: output.split('\n').flatMap(parsed), output, packages: packagesIn(JSON.parse(loaded) as string[]) };
  };
  return { run, remove: () => rmSync(out, { recursive: true, force: true }) };
}

/** A source map says which sources a chunk was made of. */
function packagesIn(chunks: string[]): string[] {
  const sources = chunks.flatMap(
    (chunk) => (JSON.parse(readFileSync(`${chunk}.map`, 'utf8')) as { sources: string[] }).sources,
  );
  const names = sources.map((source) => /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(source)?.[1] ?? '');
  return [...new Set(names)].filter(Boolean);
}

function parsed(line: string): Record<string, unknown>[] {
  try {
    return [JSON.parse(line) as Record<string, unknown>];
  } catch {
    return [];
  }
}
