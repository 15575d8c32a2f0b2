import { chmodSync, cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { RenderedFile } from './rendered.ts';

const install = join(import.meta.dirname, '..', 'files', 'install');

/**
 * Writes the files of a host below `folder`, readable by their owner alone, with what puts them in their place: `install`,
 * and `manifest`, a line for each file with its mode, its group and its path.
 */
export function writeHost(folder: string, files: readonly RenderedFile[]): void {
  rmSync(folder, { recursive: true, force: true });
  for (const { path, content } of files) {
    const file = join(folder, 'files', path);
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    writeFileSync(file, content, { mode: 0o600 });
  }
  const lines = files.map((file) => `${modeOf(file)} ${file.group ?? 'root'} ${file.path}\n`);
  writeFileSync(join(folder, 'manifest'), lines.join(''), { mode: 0o600 });
  cpSync(install, join(folder, 'install'));
  chmodSync(join(folder, 'install'), 0o700);
}

function modeOf({ group, executable }: RenderedFile): string {
  if (group === undefined) return executable ? '0755' : '0644';
  return executable ? '0750' : group === 'root' ? '0600' : '0640';
}
