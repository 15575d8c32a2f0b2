import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ETC, type RenderedFile } from './rendered.ts';

const files = join(import.meta.dirname, '..', 'files');
const systemd = join(import.meta.dirname, '../../systemd');
const UNIT = /\.(service|timer|target)$/;

/** The files that are the same on every host: scripts into their product's folder, units where systemd finds them. */
export function staticFiles(): RenderedFile[] {
  return [
    ...inFolder(systemd, '/etc/systemd/system').filter(({ path }) => UNIT.test(path)),
    ...['redis', 'postgres', 'edge'].flatMap((product) => inFolder(join(files, product), `${ETC}/${product}`)),
  ];
}

function inFolder(folder: string, to: string): RenderedFile[] {
  return readdirSync(folder).map((name) => {
    const file = join(folder, name);
    const executable = (statSync(file).mode & 0o100) !== 0;
    return { path: `${to}/${name}`, content: readFileSync(file, 'utf8'), executable };
  });
}
