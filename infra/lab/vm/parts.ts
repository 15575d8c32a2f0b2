import { existsSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { projectRoot, unpackedPackages } from '@tocsin/testing/servers';

/** What the small machine is made of. */
export interface Parts {
  qemu: string;
  kernel: string;
  /** The folder of that kernel's modules. */
  modules: string;
  /** What runs in there, by the path that it has there. */
  programs: ReadonlyMap<string, string>;
  /** Where packages were unpacked, whose programs find their libraries there. */
  layers: readonly string[];
}

/** Those of every Debian, and of other systems like it. */
const tools = ['bash', 'dash', 'cat', 'mkdir', 'mount', 'perl', 'rm', 'sleep'].map((name) => `/usr/bin/${name}`);
const network = ['ip', 'tc'].map((name) => `/usr/sbin/${name}`);
const QEMU = '/usr/bin/qemu-system-x86_64';
const servers = { keepalived: '/usr/sbin/keepalived', ipvsadm: '/usr/sbin/ipvsadm' };

/** What Debian calls what may be missing. */
const packages = ['qemu-system-x86', 'linux-image-cloud-amd64', 'keepalived', 'ipvsadm'];
const FETCHED = 'lab-vm';
const fetched = join(projectRoot, '.tocsin', 'servers', FETCHED);

/** Folders into which packages were unpacked: those that TOCSIN_LAB_LAYERS names (with colons), and our own. */
function layers(): string[] {
  const named = (process.env.TOCSIN_LAB_LAYERS ?? '').split(delimiter).filter((folder) => folder !== '');
  return [...named, ...(existsSync(fetched) ? [fetched] : [])];
}

/** Why this machine can't have a small one in it, in one line; undefined when it can. */
export function whyNotVm(): string | undefined {
  if (process.platform !== 'linux' || process.arch !== 'x64') return 'it needs Linux on x86-64';
  const found = look();
  return 'missing' in found ? `not here: ${found.missing.join(', ')}` : undefined;
}

/** @throws Error that says what is missing */
export function findParts(): Parts {
  const found = look();
  if ('missing' in found) throw new Error(`Not here: ${found.missing.join(', ')}.`);
  return found;
}

/**
 * Downloads what is missing (apt checks it against its signed index) and unpacks it into `.tocsin/servers`; nothing is installed.
 * @throws with what apt said
 */
export async function fetchParts(): Promise<void> {
  await unpackedPackages(FETCHED, packages);
}

/** The environment that unpacked programs need to find their libraries. */
export function environment({ layers }: Pick<Parts, 'layers'>): NodeJS.ProcessEnv {
  if (layers.length === 0) return process.env;
  const folders = layers.flatMap((layer) => ['usr/lib', 'lib'].map((lib) => join(layer, lib, 'x86_64-linux-gnu')));
  return { ...process.env, LD_LIBRARY_PATH: folders.join(delimiter) };
}

function look(): Parts | { missing: string[] } {
  const roots = ['/', ...layers()];
  const find = (path: string): string | undefined => {
    // Packages of Debian 12 may have it in /sbin, which an installed system has as a link.
    const candidates = roots.flatMap((root) => [join(root, path), join(root, path.replace('/usr', ''))]);
    return candidates.find((file) => existsSync(file));
  };
  const wanted = [...tools, ...network, ...Object.values(servers)];
  const kernel = roots.map(kernelIn).find((one) => one !== undefined);
  const missing = [...wanted, QEMU].filter((path) => !find(path));
  if (!kernel) missing.push('a kernel with its modules');
  if (!kernel || missing.length > 0) return { missing };
  return {
    ...kernel,
    qemu: find(QEMU)!,
    programs: new Map(wanted.map((path) => [path, find(path)!])),
    layers: roots.slice(1),
  };
}

function kernelIn(root: string): { kernel: string; modules: string } | undefined {
  const boot = join(root, 'boot');
  if (!existsSync(boot)) return undefined;
  return readdirSync(boot)
    .filter((file) => file.startsWith('vmlinuz-'))
    .map((file) => ({ kernel: join(boot, file), modules: join(root, 'lib/modules', file.slice('vmlinuz-'.length)) }))
    .find(({ modules }) => existsSync(join(modules, 'modules.builtin')));
}
