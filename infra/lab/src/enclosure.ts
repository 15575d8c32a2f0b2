import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';

/** How a command ended, with what it printed. */
export interface Ran {
  code: number;
  stdout: string;
  stderr: string;
}

/** Where an enclosure keeps its hosts' disks: in memory, over a folder that every Debian has and no lab needs. */
export const DISKS = '/media';

const FURNISH = `ip link set lo up && mount -t tmpfs -o mode=711 tmpfs ${DISKS}`;
const OWN = ['--mount', '--net', '--pid', '--ipc', '--fork', '--kill-child=SIGKILL', '--mount-proc'];

/** An ordinary PATH may lack the folders of what only root uses. */
const ENVIRONMENT = { ...process.env, PATH: `${process.env.PATH ?? ''}:/usr/local/sbin:/usr/sbin:/sbin` };

/**
 * Namespaces in which a whole lab lives: its network, its mounts, its processes. Nothing outside sees them, and when the
 * first process in there ends, the kernel kills the others and takes down every link and mount: however the lab
 * ends, there is nothing to sweep up.
 */
export class Enclosure {
  private readonly prefix: readonly string[];
  private readonly anchor: ChildProcess | undefined;

  private constructor(prefix: readonly string[], anchor?: ChildProcess) {
    this.prefix = prefix;
    this.anchor = anchor;
  }

  /** A new one, kept by a process that ends when we do. Its commands are run from outside, as in tests. */
  static async open(): Promise<Enclosure> {
    const script = `${FURNISH} && echo open && exec cat >/dev/null`;
    const anchor = spawn('unshare', [...OWN, 'sh', '-c', script], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: ENVIRONMENT,
    });
    const opened = await Promise.race([once(anchor.stdout, 'data'), once(anchor, 'exit').then(() => undefined)]);
    if (!opened) throw new Error('No namespaces can be made here.');
    const children = readFileSync(`/proc/${anchor.pid}/task/${anchor.pid}/children`, 'utf8');
    const prefix = ['nsenter', '--target', children.trim(), '--mount', '--net', '--pid', '--ipc', '--'];
    return new Enclosure(prefix, anchor);
  }

  /** The one that this process runs in, as a program that `enter` has started does. */
  static here(): Enclosure {
    return new Enclosure([]);
  }

  /** Starts a process in there. */
  spawn(command: readonly string[], stdio: StdioOptions): ChildProcess {
    const [program, ...args] = [...this.prefix, ...command];
    return spawn(program!, args, { stdio, env: ENVIRONMENT });
  }

  /** Runs a command in there to its end; never throws. */
  async run(command: readonly string[], input = ''): Promise<Ran> {
    const child = this.spawn(command, ['pipe', 'pipe', 'pipe']);
    const ran: Ran = { code: 127, stdout: '', stderr: '' };
    child.stdout?.on('data', (chunk: Buffer) => (ran.stdout += chunk.toString()));
    child.stderr?.on('data', (chunk: Buffer) => (ran.stderr += chunk.toString()));
    child.stdin?.on('error', () => undefined).end(input);
    return await new Promise((resolve) => {
      child.once('error', (error) => resolve({ ...ran, stderr: error.message }));
      child.once('close', (code) => resolve({ ...ran, code: code ?? 1 }));
    });
  }

  /**
   * As `run`.
   * @throws with what the command said, if it did not end with 0
   */
  async must(command: readonly string[], input?: string): Promise<string> {
    const { code, stdout, stderr } = await this.run(command, input);
    if (code !== 0) throw new Error(`${command.join(' ')}: ${stderr.trim() || `ended with ${code}`}`);
    return stdout;
  }

  /** Ends everything in there, and waits until it is gone. */
  async close(): Promise<void> {
    if (!this.anchor || this.anchor.exitCode !== null || this.anchor.signalCode !== null) return;
    const gone = once(this.anchor, 'exit');
    this.anchor.stdin?.end();
    await gone;
  }
}

/** Runs a command inside a new enclosure, on this terminal; gives its exit code. It ends when we do, however we end. */
export async function enter(command: readonly string[]): Promise<number> {
  const script = `${FURNISH} && "$@"; exit $?`;
  const inside = ['unshare', ...OWN, 'sh', '-c', script, 'sh', ...command];
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', ...inside], { stdio: 'inherit', env: ENVIRONMENT });
  // It gets the terminal's Ctrl-C too, and stops in order.
  const wait = (): void => undefined;
  process.on('SIGINT', wait);
  const [code] = (await once(child, 'exit')) as [number | null];
  process.off('SIGINT', wait);
  return code ?? 1;
}
