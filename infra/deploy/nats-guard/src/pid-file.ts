import { readFileSync } from 'node:fs';

/** What the kernel calls a node's process. */
const NAME = 'nats-server';

/** The server whose process id stands in a file. It writes that file at its start; systemd removes it at its end. */
export class PidFileServer {
  /**
   * @param file where the id stands
   * @param proc where the kernel tells of processes
   */
  constructor(
    private readonly file: string,
    private readonly proc = '/proc',
  ) {}

  /** Its process; -1 when the file names none, or one that is no nats-server: ids are used again. */
  get pid(): number {
    const pid = Number(textOf(this.file));
    return Number.isSafeInteger(pid) && pid > 1 && textOf(`${this.proc}/${pid}/comm`) === NAME ? pid : -1;
  }

  get process(): { kill(signal: 'SIGKILL'): void } | undefined {
    const { pid } = this;
    return pid < 0 ? undefined : { kill: (signal) => kill(pid, signal) };
  }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return '';
  }
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    // It has ended meanwhile.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
