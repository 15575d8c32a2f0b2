import { createReadStream, createWriteStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { constants } from 'node:os';

/** A process of a unit. */
export interface Child {
  pid: number;
  alive: boolean;
  /** Its exit status, or the signal that ended it. */
  ended: Promise<number | NodeJS.Signals>;
}

const FORK_FAILED = 203;

/** The host's first process (files/first.pl), which starts others in our stead. */
export class FirstProcess {
  private readonly orders: NodeJS.WritableStream;
  private readonly begun = new Map<string, (child: Child) => void>();
  private readonly running = new Map<number, (status: number) => void>();
  private readonly heard = new Map<string, (line: string) => void>();
  private count = 0;

  /** @param files the numbers of the open files that lead from and to it */
  constructor(files: { reports: number; orders: number }) {
    this.orders = createWriteStream('', { fd: files.orders });
    createInterface(createReadStream('', { fd: files.reports })).on('line', (line) => {
      const [what, ...words] = line.split(' ').map(decodeURIComponent);
      this.hear(what!, words);
    });
  }

  /** Starts a command; what it prints is added to a file. */
  start(command: readonly string[], log: string): Promise<Child> {
    this.count += 1;
    const id = String(this.count);
    return new Promise((resolve) => {
      this.begun.set(id, resolve);
      this.order('spawn', id, log, ...command);
    });
  }

  /** Makes a socket for what a service tells systemd, and hears it. */
  listen(path: string, hear: (line: string) => void): void {
    this.heard.set(path, hear);
    this.order('listen', path);
  }

  private order(...words: readonly string[]): void {
    this.orders.write(`${words.map(encodeURIComponent).join(' ')}\n`);
  }

  private hear(what: string, [first = '', second = '']: string[]): void {
    const number = Number(second);
    if (what === 'spawned') {
      const { promise, resolve } = Promise.withResolvers<number | NodeJS.Signals>();
      const child: Child = { pid: number, alive: number > 0, ended: promise };
      if (number === 0) resolve(FORK_FAILED);
      this.running.set(number, (status) => {
        child.alive = false;
        resolve(statusOf(status));
      });
      this.begun.get(first)?.(child);
      this.begun.delete(first);
    } else if (what === 'ended') {
      this.running.get(Number(first))?.(number);
      this.running.delete(Number(first));
    } else if (what === 'said') {
      this.heard.get(first)?.(second);
    }
  }
}

/** What wait(2) tells: a signal in the low bits, or an exit status above them. */
function statusOf(status: number): number | NodeJS.Signals {
  const signal = Object.entries(constants.signals).find(([, number]) => number === (status & 127));
  return signal ? (signal[0] as NodeJS.Signals) : status >> 8;
}
