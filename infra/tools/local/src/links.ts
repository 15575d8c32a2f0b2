import { spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { freePort, guard, unguard } from '@tocsin/testing/servers';
import { say } from './progress.ts';

/** Where `from` finds the server of `to` that listens on `port`: there, or at a link's port. */
export type Road = (from: string, to: string, port: number) => Promise<number>;

/** Everybody finds everything where it is. */
export const straight: Road = (_from, _to, port) => Promise.resolve(port);

/** Which links: all of a host, those from one host to another, or all. */
export type LinkSelector = { host: string } | { from: string; to: string } | Record<string, never>;

export interface LinkState {
  from: string;
  to: string;
  cut: boolean;
}

/** What the process that carries the links is told. */
export type LinkCommand = { id: number } & (
  { do: 'open'; link: number; port: number; target: number } | { do: 'cut' | 'heal'; links: number[] }
);
export interface LinkAnswer {
  id: number;
  error?: string;
}

/** No link fits what was asked for. */
export class NoSuchLink extends Error {}

interface OpenLink extends LinkState {
  target: number;
  port: Promise<number>;
}

/** The links between hosts, in a process of their own, which this one tells what to cut. */
export class Links {
  private readonly links: OpenLink[] = [];
  private readonly waiting = new Map<number, { resolve(): void; reject(error: Error): void }>();
  private commands = 0;
  private stopping = false;

  private constructor(private readonly child: ChildProcess) {
    child.on('message', (answer: LinkAnswer) => this.answered(answer));
    child.once('exit', () => this.ended());
    child.once('error', () => this.ended());
  }

  /** Starts the process; it ends with this one, whatever ends this one. */
  static start(): Links {
    const program = fileURLToPath(new URL('links-process.ts', import.meta.url));
    const child = spawn(process.execPath, ['--import', '@oxc-node/core/register', program], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      detached: true,
    });
    const { pid } = child;
    if (pid !== undefined) {
      guard(pid, 'SIGTERM');
      child.once('exit', () => unguard(pid));
    }
    return new Links(child);
  }

  get pid(): number {
    return this.child.exitCode === null && this.child.signalCode === null ? (this.child.pid ?? -1) : -1;
  }

  /** The link of a server, opened when it is first asked for; the server need not listen yet. */
  readonly road: Road = (from, to, target) => {
    const same = this.links.find((link) => link.from === from && link.to === to && link.target === target);
    if (same) return same.port;
    const number = this.links.length;
    const port = freePort().then(async (free) => {
      await this.tell({ do: 'open', link: number, port: free, target });
      return free;
    });
    this.links.push({ from, to, target, cut: false, port });
    return port;
  };

  list(): LinkState[] {
    return this.links.map(({ from, to, cut }) => ({ from, to, cut }));
  }

  /**
   * Resolves when nothing passes any more.
   * @throws NoSuchLink when no link fits
   */
  cut(which: LinkSelector): Promise<LinkState[]> {
    return this.set(which, true);
  }

  /** Resolves when bytes pass again. @throws NoSuchLink when no link fits */
  heal(which: LinkSelector): Promise<LinkState[]> {
    return this.set(which, false);
  }

  async stop(): Promise<void> {
    this.stopping = true;
    if (this.pid === -1) return;
    const gone = new Promise((resolve) => this.child.once('exit', resolve));
    this.child.kill('SIGTERM');
    const forced = setTimeout(() => this.child.kill('SIGKILL'), 2_000);
    await gone;
    clearTimeout(forced);
  }

  private async set(which: LinkSelector, cut: boolean): Promise<LinkState[]> {
    const meant = this.links.filter((link) => fits(link, which));
    if (meant.length === 0) throw new NoSuchLink(`no link fits; the hosts are ${this.hosts().join(', ')}`);
    for (const link of meant) link.cut = cut;
    await this.tell({ do: cut ? 'cut' : 'heal', links: meant.map((link) => this.links.indexOf(link)) });
    return meant.map(({ from, to }) => ({ from, to, cut }));
  }

  private hosts(): string[] {
    return [...new Set(this.links.flatMap(({ from, to }) => [from, to]))].toSorted();
  }

  private tell(what: DistributiveOmit<LinkCommand, 'id'>): Promise<void> {
    const id = ++this.commands;
    return new Promise((resolve, reject) => {
      if (this.pid === -1) return reject(new Error('the process that carries the links has ended'));
      this.waiting.set(id, { resolve, reject });
      this.child.send({ id, ...what }, (error) => error && reject(error));
    });
  }

  private answered({ id, error }: LinkAnswer): void {
    const asker = this.waiting.get(id);
    this.waiting.delete(id);
    if (error === undefined) asker?.resolve();
    else asker?.reject(new Error(`the links answered: ${error}`));
  }

  private ended(): void {
    if (!this.stopping) say('the process that carries the links has ended: nothing reaches anything any more');
    for (const asker of this.waiting.values()) asker.reject(new Error('the process that carries the links has ended'));
    this.waiting.clear();
  }
}

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

function fits(link: LinkState, which: LinkSelector): boolean {
  if ('host' in which) return link.from === which.host || link.to === which.host;
  if ('from' in which) return link.from === which.from && link.to === which.to;
  return true;
}
