import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { cpio, type Entry, FILE, FOLDER, LINK } from './cpio.ts';
import { environment, type Parts } from './parts.ts';

/** What a path of the small machine is: a copy of a file of this one, a text or bytes, or a link. */
export type Piece = { copy: string } | { text: string | Buffer; executable?: boolean } | { link: string };
export type Plan = ReadonlyMap<string, Piece>;

const LIBRARIES = '/usr/lib/x86_64-linux-gnu';
const PERL = `${LIBRARIES}/perl-base`;
const guest = join(import.meta.dirname, 'guest');

/** Programs with their libraries, Perl's own modules, and what the scenarios are made of. */
export function basePlan(parts: Parts): Plan {
  const printed = execFileSync('ldd', [...parts.programs.values()], { env: environment(parts), encoding: 'utf8' });
  return new Map<string, Piece>([
    ...['bin', 'sbin', 'lib', 'lib64'].map((name): [string, Piece] => [`/${name}`, { link: `usr/${name}` }]),
    ['/usr/bin/sh', { link: 'dash' }],
    ['/var/run', { link: '/run' }],
    ...[...parts.programs].map(([path, copy]): [string, Piece] => [path, { copy }]),
    ...librariesIn(printed),
    ...copies(PERL, PERL),
    ...copies(guest, '/lab'),
    ['/init', { copy: join(guest, 'init') }],
  ]);
}

/** Where shared libraries go that `ldd` has found; all into one folder, where the loader looks by itself. */
export function librariesIn(printed: string): Map<string, Piece> {
  const absent = [...printed.matchAll(/^\s*(\S+) => not found/gm)].map((match) => match[1]);
  if (absent.length > 0) throw new Error(`Libraries are missing: ${[...new Set(absent)].join(', ')}.`);
  const found = [...printed.matchAll(/^\s+(?:(\S+) => )?(\/\S+) \(0x/gm)];
  // Only the loader itself has no other name than its path.
  return new Map(
    found.map(([, name, copy]) => [
      name ? `${LIBRARIES}/${name}` : copy!.replace(/^\/lib/, '/usr/lib'),
      { copy: copy! },
    ]),
  );
}

/** The files below a folder, as they are to lie below another. (Perl's tables of Unicode are large, and nothing needs them.) */
function copies(folder: string, to: string): [string, Piece][] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => statSync(join(folder, file)).isFile() && !file.startsWith('unicore/'))
    .map((file) => [join(to, file), { copy: join(folder, file) }]);
}

/** The archive of a plan, with all folders that it needs. */
export function packed(plan: Plan, folders: readonly string[] = []): Buffer {
  const parents = new Set(folders.flatMap((folder) => [...parentsOf(folder), folder]));
  for (const path of plan.keys()) for (const parent of parentsOf(path)) parents.add(parent);
  return cpio([
    ...[...parents].toSorted().map((path) => ({ path: path.slice(1), mode: FOLDER | 0o755 })),
    ...[...plan].map(([path, piece]) => entryOf(path.slice(1), piece)),
  ]);
}

/** From the root down. */
export function parentsOf(path: string): string[] {
  const parent = dirname(path);
  return parent === '/' ? [] : [...parentsOf(parent), parent];
}

function entryOf(path: string, piece: Piece): Entry {
  if ('link' in piece) return { path, mode: LINK | 0o777, content: Buffer.from(piece.link) };
  if ('copy' in piece) {
    const executable = statSync(piece.copy).mode & 0o111;
    return { path, mode: FILE | (executable ? 0o755 : 0o644), content: readFileSync(piece.copy) };
  }
  return { path, mode: FILE | (piece.executable ? 0o755 : 0o644), content: Buffer.from(piece.text) };
}
