import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

/** What a kernel's module needs before it, by name. */
export type DependsOf = (name: string) => readonly string[];

/** Modules with all that they need, each after what it needs. */
export function loadingOrder(wanted: readonly string[], dependsOf: DependsOf): string[] {
  const order = new Set<string>();
  const add = (name: string): void => {
    if (order.has(name)) return;
    for (const needed of dependsOf(name)) add(needed);
    order.add(name);
  };
  for (const name of wanted) add(name);
  return [...order];
}

/** What a module says that it needs. */
export function dependenciesIn(module: Buffer): string[] {
  const said = /\0depends=([^\0]*)\0/.exec(module.toString('latin1'))?.[1] ?? '';
  return said === '' ? [] : said.split(',').map(plain);
}

/** A kernel's modules: `<name>.ko`, in the order in which they are to be loaded. What is part of the kernel itself is left out. */
export function modulesFor(folder: string, wanted: readonly string[]): Map<string, Buffer> {
  const files = new Map(
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((file) => /\.ko(\.xz)?$/.test(file))
      .map((file) => [nameOf(file), join(folder, file)]),
  );
  const builtIn = new Set(readFileSync(join(folder, 'modules.builtin'), 'utf8').split('\n').map(nameOf));
  const read = new Map<string, Buffer>();
  const dependsOf = (name: string): string[] => {
    if (builtIn.has(name)) return [];
    const file = files.get(name);
    if (!file) throw new Error(`${folder} has no module ${name}.`);
    read.set(name, contentOf(file));
    return dependenciesIn(read.get(name)!);
  };
  const order = loadingOrder(wanted, dependsOf).filter((name) => !builtIn.has(name));
  return new Map(order.map((name) => [`${name}.ko`, read.get(name)!]));
}

function contentOf(file: string): Buffer {
  if (!file.endsWith('.xz')) return readFileSync(file);
  return execFileSync('xz', ['--decompress', '--stdout', file], { maxBuffer: 100_000_000 });
}

function nameOf(file: string): string {
  return plain(basename(file).replace(/\.ko(\.xz)?$/, ''));
}

/** Files have either stroke, names one. */
function plain(name: string): string {
  return name.replaceAll('-', '_');
}
