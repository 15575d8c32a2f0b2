import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Command, UnitStatus } from './commands.ts';
import { DISKS, type Enclosure } from './enclosure.ts';
import type { Cable, Network } from './network.ts';
import { fileOf } from './units.ts';

/** What a host's disk begins with: the machine's own system, and on it what is not installed there. */
export interface Image {
  /** Folders into which Debian packages were unpacked instead of being installed; each holds a `usr`. */
  layers: string[];
  /** Files and folders of the machine, by where the host has them. */
  mounts: Record<string, string>;
}

interface Waiting {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** The namespaces of a host. Its network is new at each start: what it held is gone, as after a power cut. */
const OWN = [
  '--pid',
  '--mount',
  '--uts',
  '--ipc',
  '--net',
  '--fork',
  '--kill-child=SIGKILL',
  '--propagation',
  'private',
];
/** A host knows nothing of the environment that the lab is started in. */
const CLEARED = ['env', '-i', 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin', 'LANG=C.UTF-8'];
const LAB = '/opt/tocsin-lab';
/** Where hosts have their software: built apps and binaries, mounted instead of copied. */
export const RELEASE = '/opt/tocsin/releases/lab';
const NODE = `${RELEASE}/bin/node`;

/**
 * One host. Its root is a layer of its own upon the machine's: it sees the machine's programs, and whatever it writes,
 * users included, stays on its disk, which outlives its processes and ends with the enclosure.
 */
export class Host {
  readonly name: string;
  private readonly enclosure: Enclosure;
  private readonly network: Network;
  private readonly cable: Cable;
  private process: ChildProcess | undefined;
  private firstPid = 0;
  private readonly waiting = new Map<number, Waiting>();
  private commands = 0;

  constructor(at: { enclosure: Enclosure; network: Network }, cable: Cable) {
    this.name = cable.host;
    this.enclosure = at.enclosure;
    this.network = at.network;
    this.cable = cable;
  }

  /** Its root, as the enclosure sees it. */
  get root(): string {
    return `${DISKS}/${this.name}/root`;
  }

  get isOn(): boolean {
    return this.process !== undefined;
  }

  /** Makes its disk. */
  async build({ layers, mounts }: Image): Promise<void> {
    const disk = `${DISKS}/${this.name}`;
    const lines = [
      `mkdir -p ${disk}/new ${disk}/work ${disk}/new-usr ${disk}/work-usr ${this.root}`,
      overlay(['/'], this.root, { upper: `${disk}/new`, work: `${disk}/work` }),
    ];
    if (layers.length > 0) {
      const usr = [...layers.map((layer) => `${layer}/usr`), '/usr'];
      lines.push(overlay(usr, `${this.root}/usr`, { upper: `${disk}/new-usr`, work: `${disk}/work-usr` }));
      // /lib is a link to /usr/lib on a Debian, but not in what was unpacked.
      const libs = layers.map((layer) => `${layer}/lib`).filter((folder) => existsSync(folder));
      const usrLibs = usr.map((folder) => `${folder}/lib`).filter((folder) => existsSync(folder));
      if (libs.length > 0) lines.push(overlay([...libs, ...usrLibs], `${this.root}/usr/lib`));
    }
    await this.enclosure.must(['sh', '-euc', lines.join('\n')]);
    const own = { [NODE]: process.execPath, [LAB]: new URL('..', import.meta.url).pathname };
    for (const [to, from] of Object.entries({ ...own, ...mounts })) await this.mount(from, to);
  }

  /**
   * Puts a file or folder of the machine in a place of this host, instead of what is there. While the host is on, units
   * that are started from now on see it.
   */
  async mount(from: string, to: string): Promise<void> {
    const script = `umount "$2" 2>/dev/null || true
      if [ -d "$1" ]; then mkdir -p "$2"; else mkdir -p "$(dirname "$2")"; [ -e "$2" ] || : >"$2"; fi
      mount --bind -o ro "$1" "$2"`;
    const command = ['sh', '-euc', script, 'sh', from, `${this.root}${to}`];
    await this.enclosure.must(command);
    // It has its own copy of the mounts since its start, with its root where the enclosure has it.
    if (this.isOn)
      await this.enclosure.must(['nsenter', '--target', String(this.firstPid), '--mount', '--', ...command]);
  }

  /**
   * Puts rendered files in their place with their own installer, while the host is off, and enables units.
   * @param folder what `writeHost` has written for this host
   */
  async install(folder: string, units: readonly string[]): Promise<void> {
    const wants = '/etc/systemd/system/tocsin.target.wants';
    await this.onDisk(['sh', '-c', 'mkdir -p /mnt/software && echo lab >/mnt/software/release']);
    await this.mount(folder, '/mnt/host');
    await this.onDisk(['/mnt/host/install']);
    await this.enclosure.must(['umount', `${this.root}/mnt/host`]);
    await this.onDisk(['mkdir', '-p', wants, '/var/log/tocsin']);
    for (const unit of units) await this.onDisk(['ln', '-sf', `../${fileOf(unit)}`, `${wants}/${unit}`]);
  }

  /** Runs a command with this disk as its root, while the host is off. */
  async onDisk(command: readonly string[]): Promise<string> {
    return await this.enclosure.must(['chroot', this.root, ...CLEARED, ...command]);
  }

  /** Switches it on; resolves when its enabled units have begun to start. */
  async powerOn(): Promise<void> {
    if (this.process) throw new Error(`${this.name} is on already.`);
    const boot = new URL('../files/boot', import.meta.url).pathname;
    const init = [`${LAB}/files/first.pl`, NODE, `${LAB}/src/init.ts`];
    // In a session of its own: Ctrl-C is for the lab alone, which then stops its hosts in order.
    const shell = `exec 2>>${this.root}/var/log/tocsin-init.log; echo $$; exec setsid ${CLEARED.join(' ')} unshare ${OWN.join(' ')} -- "$@"`;
    const started = this.enclosure.spawn(
      ['sh', '-c', shell, 'sh', boot, this.name, this.root, ...init],
      ['pipe', 'pipe', 'inherit'],
    );
    this.process = started;
    started.stdin!.on('error', () => undefined);
    void once(started, 'exit').then(() => this.ended());
    const lines = createInterface(started.stdout!)[Symbol.asyncIterator]();
    const next = async (): Promise<string> => {
      const { value, done } = (await lines.next()) as IteratorResult<string, undefined>;
      if (done) throw new Error(`${this.name} did not start: ${await this.log()}`);
      return value;
    };
    const unshare = Number(await next());
    await next();
    const children = await this.enclosure.must(['cat', `/proc/${unshare}/task/${unshare}/children`]);
    this.firstPid = Number(children.trim());
    await this.network.plugIn(this.cable, this.firstPid);
    started.stdin!.write('\n');
    await next();
    void this.listen(lines);
  }

  /** Cuts its power: every process is killed at once and its links are gone. Its disk is as it was at that moment. */
  async powerOff(): Promise<void> {
    if (!this.process) return;
    const gone = once(this.process, 'exit');
    // The kernel buries a first process only after all others of its namespace.
    await this.enclosure.run(['kill', '-KILL', String(this.firstPid)]);
    await gone;
    this.ended();
  }

  /** Starts, stops, restarts or reloads units, and waits until that is done. */
  async units(what: 'start' | 'stop' | 'restart' | 'reload', ...units: string[]): Promise<void> {
    await this.tell({ do: what, units });
  }

  /** A signal to a unit's main process, or to all that it runs. */
  async signal(unit: string, signal: NodeJS.Signals, whom: 'main' | 'all' = 'main'): Promise<void> {
    await this.tell({ do: 'signal', units: [unit], signal, whom });
  }

  /** Freezes all that it runs, or lets it go on. */
  async freeze(frozen: boolean): Promise<void> {
    await this.tell({ do: 'signal-host', signal: frozen ? 'SIGSTOP' : 'SIGCONT' });
  }

  async status(): Promise<Record<string, UnitStatus>> {
    return (await this.tell({ do: 'status' })) as Record<string, UnitStatus>;
  }

  /** Runs a command on it, while it is on. */
  async run(command: readonly string[]): Promise<string> {
    const there = ['nsenter', '--target', String(this.firstPid), '--all', '--root', '--wd', '--'];
    return await this.enclosure.must([...there, ...CLEARED, ...command]);
  }

  /** The last of what a unit printed, or of what its `init` did. */
  async log(unit?: string): Promise<string> {
    const file = unit === undefined ? 'tocsin-init.log' : `tocsin/${unit}.log`;
    return (await this.enclosure.run(['tail', '-n', '50', `${this.root}/var/log/${file}`])).stdout;
  }

  private tell(command: Command): Promise<unknown> {
    const { process: started } = this;
    if (!started) return Promise.reject(new Error(`${this.name} is off.`));
    this.commands += 1;
    const id = this.commands;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      started.stdin!.write(`${JSON.stringify({ id, ...command })}\n`);
    });
  }

  private async listen(lines: AsyncIterator<string>): Promise<void> {
    for (;;) {
      const { value, done } = await lines.next();
      if (done) return;
      const answer = JSON.parse(value) as { id: number; value?: unknown; error?: string };
      const waiting = this.waiting.get(answer.id);
      this.waiting.delete(answer.id);
      if (answer.error === undefined) waiting?.resolve(answer.value);
      else waiting?.reject(new Error(`${this.name}: ${answer.error}`));
    }
  }

  private ended(): void {
    this.process = undefined;
    for (const waiting of this.waiting.values()) waiting.reject(new Error(`${this.name} went off.`));
    this.waiting.clear();
  }
}

function overlay(lower: readonly string[], at: string, own?: { upper: string; work: string }): string {
  const writable = own ? `,upperdir=${own.upper},workdir=${own.work}` : '';
  return `mount -t overlay overlay -o "lowerdir=${lower.join(':')}${writable}" ${at}`;
}
