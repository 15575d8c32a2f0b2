import { spawn } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { haproxyFiles, type Inventory, inventorySchema, keepalivedFiles, staticFiles, withLvs } from '@tocsin/hosts';
import { temporaryDir } from '@tocsin/testing/servers';
import { bondOptions } from './bond-options.ts';
import { basePlan, packed, type Piece, type Plan } from './initramfs.ts';
import { modulesFor } from './modules.ts';
import { environment, findParts, type Parts } from './parts.ts';
import { type Seen, seenIn } from './results.ts';

/** crc32c is asked for by others only when they start. */
const modules = ['crc32c_generic', 'veth', 'bridge', 'bonding', 'sch_netem', 'ip_vs', 'ip_vs_wlc'];
const BONDING = join(import.meta.dirname, '../../deploy/hosts/files/bonding/tocsin-bond0.netdev');

/** An idle processor needs a minute for all of it; one that is busy with other things, several. */
export const MOST_SECONDS = 300;

/** Boots the small machine, which runs all scenarios and switches itself off. */
export async function runScenarios(): Promise<Seen[]> {
  const parts = findParts();
  const folder = temporaryDir('vm');
  try {
    const initramfs = join(folder, 'initramfs');
    writeFileSync(initramfs, packed(planOf(parts), ['/dev', '/etc/tocsin', '/proc', '/run', '/sys', '/tmp']));
    return seenIn(await boot(parts, initramfs));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function planOf(parts: Parts): Plan {
  const loaded = modulesFor(parts.modules, modules);
  const text = (content: string): Piece => ({ text: content });
  return new Map<string, Piece>([
    ...basePlan(parts),
    ...[...loaded].map(([file, content]): [string, Piece] => [`/lab/modules.d/${file}`, { text: content }]),
    ['/lab/modules', text([...loaded.keys()].map((file) => `/lab/modules.d/${file}\n`).join(''))],
    ['/lab/bond-options', text(bondOptions(readFileSync(BONDING, 'utf8')))],
    ['/etc/passwd', text('root:x:0:0::/:/bin/sh\ntocsin-haproxy:x:101:101::/nonexistent:/usr/sbin/nologin\n')],
    ['/etc/group', text('root:x:0:\ntocsin-haproxy:x:101:\n')],
    ...edges(),
  ]);
}

/** Where `ip netns exec` finds what a host has in /etc. */
function edges(): [string, Piece][] {
  const inventory: Inventory = inventorySchema.parse({
    hosts: ['a', 'b', 'c'].map((name, index) => ({ name, address: `10.0.0.${11 + index}`, interface: 'eth0' })),
    edge: { addresses: ['10.0.0.10'], prefix: 24 },
  });
  const deployment = { ...inventory, certificates: { edge: { certificate: '', key: '' } } };
  return inventory.hosts.flatMap((host) => {
    const plain = [...haproxyFiles(deployment, host), ...keepalivedFiles(deployment, host), ...staticFiles()];
    return withLvs(deployment, host, plain)
      .filter(({ path }) => /^\/etc\/tocsin\/(edge|keepalived|lvs)\//.test(path))
      .map(({ path, content, executable = false }): [string, Piece] => [
        path.replace('/etc/', `/etc/netns/${host.name}/`),
        { text: content, executable },
      ]);
  });
}

/** @throws Error when it does not switch itself off in time; with what it printed last */
async function boot(parts: Parts, initramfs: string): Promise<string> {
  const firmware = parts.layers.flatMap((layer) =>
    ['qemu', 'seabios'].flatMap((name) => ['-L', join(layer, 'usr/share', name)]),
  );
  // Its clock counts instructions, and stands still for nobody: a busy machine around it makes it slow, never late.
  const clock = ['-accel', 'tcg,thread=single', '-icount', 'shift=1,sleep=off', '-rtc', 'clock=vm'];
  const machine = ['-machine', 'pc', '-cpu', 'max', '-smp', '1', '-m', '256', '-nodefaults', '-nic', 'none', ...clock];
  const told = ['-kernel', parts.kernel, '-initrd', initramfs, '-append', 'console=ttyS0 quiet loglevel=1 panic=-1'];
  const terminal = ['-display', 'none', '-monitor', 'none', '-serial', 'stdio', '-no-reboot'];
  // Bounded also when nobody is left to end it.
  const command = ['--signal=KILL', String(MOST_SECONDS), parts.qemu, ...firmware, ...machine, ...told, ...terminal];
  const child = spawn('timeout', command, { stdio: ['ignore', 'pipe', 'pipe'], env: environment(parts) });
  const printed: Buffer[] = [];
  const complaints: Buffer[] = [];
  child.stdout.on('data', (part: Buffer) => printed.push(part));
  child.stderr.on('data', (part: Buffer) => complaints.push(part));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  const text = Buffer.concat(printed).toString();
  if (code === 0) return text;
  const last = `${text}\n${Buffer.concat(complaints).toString()}`.trim().split('\n').slice(-40).join('\n');
  throw new Error(`The small machine ended with ${code} (137: not within ${MOST_SECONDS} s). It said:\n${last}`);
}
