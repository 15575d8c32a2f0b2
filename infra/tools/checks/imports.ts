import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

/** One import as it is written in a source file. */
export interface ImportSeen {
  /** The file, relative to the workspace, with forward slashes. */
  file: string;
  specifier: string;
}

const STATEMENT =
  /(?:\bfrom|\bimport|\bexport)\s*['"]([^'"\n]+)['"]|\bimport\(\s*['"]([^'"\n]+)['"]|\brequire(?:\.resolve)?\(\s*['"]([^'"\n]+)['"]|createRequire\([^)]*\)\(\s*['"]([^'"\n]+)['"]/g;

/** Every import, re-export and require of the TypeScript files below these folders of the workspace. */
export function importsOf(root: string, folders: readonly string[]): ImportSeen[] {
  return folders
    .flatMap((folder) => filesBelow(join(root, folder)))
    .flatMap((path) => {
      const file = relative(root, path).replaceAll('\\', '/');
      return specifiersIn(readFileSync(path, 'utf8')).map((specifier) => ({ file, specifier }));
    });
}

/** What one source text imports; comments are left aside. */
export function specifiersIn(source: string): string[] {
  const code = source.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/^\s*\/\/.*$/gm, '');
  return [...code.matchAll(STATEMENT)].map((match) => match.slice(1).find((group) => group !== undefined) ?? '');
}

/** The TypeScript files below a folder, dependencies and built files left aside. */
export function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return ['node_modules', 'dist', 'fixtures'].includes(entry.name) ? [] : filesBelow(path);
    return /\.m?ts$/.test(entry.name) ? [path] : [];
  });
}
