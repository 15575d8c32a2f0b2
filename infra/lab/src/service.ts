import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  closeSync,
  copyFileSync,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
} from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { Child, FirstProcess } from './first-process.ts';
import { launch, userOf } from './launch.ts';
import { namespaceOf, processesIn, signal } from './processes.ts';
import { assignments, type Unit } from './units.ts';

export type ServiceState = 'stopped' | 'starting' | 'running' | 'stopping' | 'waiting' | 'failed';

const LOOK_MS = 20;
/** Of what was sent SIGKILL, nothing is left after that, or the machine is ill. */
const KILLED_MS = 5_000;

/** One unit at work, as systemd would do it. What it prints goes to `log`. */
export class Service {
  readonly unit: Unit;
  state: ServiceState = 'stopped';
  restarts = 0;
  private readonly first: FirstProcess;
  private readonly log: string;
  private readonly notifySocket: string;
  private main: Child | undefined;
  /** Those that its commands have made. An open file keeps each, so that its number can't become another unit's. */
  private readonly namespaces = new Map<string, number>();
  private watchdog: NodeJS.Timeout | undefined;
  private ready = Promise.withResolvers<void>();
  /** Of one life, from a start to the end of it; aborted when the service shall stop or has ended. */
  private ending = AbortSignal.abort();
  private end: () => void = () => undefined;
  /** The last of its lives. */
  private life: Promise<void> = Promise.resolve();

  constructor(unit: Unit, first: FirstProcess, paths: { log: string; notifySocket: string }) {
    this.unit = unit;
    this.first = first;
    this.log = paths.log;
    this.notifySocket = paths.notifySocket;
  }

  /** The id of its main process; undefined when there is none. */
  get pid(): number | undefined {
    return this.main?.alive ? this.main.pid : undefined;
  }

  /** All its processes. */
  get pids(): number[] {
    return processesIn(new Set(this.namespaces.keys()));
  }

  /** Starts it, if it does not run, and waits until it is up as systemd understands it. */
  async start(): Promise<void> {
    if (this.ending.aborted) {
      const life = new AbortController();
      this.ending = life.signal;
      this.end = () => life.abort();
      this.ready = Promise.withResolvers<void>();
      this.ready.promise.catch(() => undefined);
      const { ready } = this;
      this.life = this.life.then(() => this.live(life, ready));
    }
    await this.ready.promise;
  }

  /** Stops it in order, and waits until nothing of it is left. */
  async stop(): Promise<void> {
    this.end();
    if ((this.pid !== undefined || this.state === 'starting') && this.state !== 'stopping') {
      this.state = 'stopping';
      // What comes before the main process may wait for something, and has to hear it instead.
      const main = this.pid === undefined ? [] : [this.pid];
      const to = main.length > 0 && this.unit.killMode === 'mixed' ? main : new Set([...main, ...this.pids]);
      for (const pid of to) signal(pid, this.unit.killSignal);
      // What is frozen must hear it.
      for (const pid of to) signal(pid, 'SIGCONT');
      const forced = setTimeout(() => this.signalAll('SIGKILL'), bounded(this.unit.timeoutStopMs));
      await this.life;
      clearTimeout(forced);
    }
    await this.life;
  }

  async reload(): Promise<void> {
    if (this.pid === undefined) throw new Error(`${this.unit.name} does not run.`);
    await this.runAll(this.unit.execReload);
  }

  /** A signal to each of its processes, until no other appears meanwhile. */
  signalAll(name: NodeJS.Signals): void {
    const told = new Set<number>();
    for (;;) {
      const fresh = [...new Set([this.pid ?? 0, ...this.pids])].filter((pid) => pid > 0 && !told.has(pid));
      if (fresh.length === 0) return;
      for (const pid of fresh) {
        told.add(pid);
        signal(pid, name);
      }
    }
  }

  /** What the service said to systemd. */
  notified(message: string): void {
    if (message === 'READY=1' && this.unit.type === 'notify') this.becomesReady();
    if (message === 'READY=1' || message === 'WATCHDOG=1') this.watch();
  }

  private watch(): void {
    clearTimeout(this.watchdog);
    const { watchdogMs, watchdogSignal } = this.unit;
    if (watchdogMs === undefined || this.state !== 'running') return;
    this.watchdog = setTimeout(() => {
      this.write(`said nothing for ${watchdogMs} ms: ${watchdogSignal}`);
      this.signalAll(watchdogSignal);
    }, watchdogMs);
  }

  private becomesReady(): void {
    if (this.state !== 'starting') return;
    this.state = 'running';
    void this.runAll(this.unit.execStartPost).then(this.ready.resolve, (error: Error) => this.write(error.message));
  }

  private async live(life: AbortController, ready: PromiseWithResolvers<void>): Promise<void> {
    const { signal: ending } = life;
    while (!ending.aborted) {
      const status = await this.once(ending);
      if (ending.aborted) break;
      if (this.unit.restart !== 'always' || this.isFinal(status)) {
        if (status !== 0) this.state = 'failed';
        break;
      }
      this.state = 'waiting';
      this.restarts += 1;
      await delay(this.unit.restartMs, undefined, { signal: ending }).catch(() => undefined);
    }
    life.abort();
    if (this.state !== 'failed') this.state = 'stopped';
    if (this.state === 'failed') ready.reject(new Error(`${this.unit.name} has failed; see ${this.log}.`));
    else ready.resolve();
  }

  /** From its start to the end of the last of its processes. Gives the exit status of the main one, or its signal. */
  private async once(ending: AbortSignal): Promise<number | NodeJS.Signals> {
    this.state = 'starting';
    let status: number | NodeJS.Signals = 1;
    try {
      this.prepare();
      await this.runAll(this.unit.execStartPre);
      if (!ending.aborted) status = await this.runMain(ending);
    } catch (error) {
      this.write((error as Error).message);
    }
    clearTimeout(this.watchdog);
    await this.clear();
    try {
      await this.runAll(this.unit.execStopPost);
    } catch (error) {
      this.write((error as Error).message);
    }
    await this.killed();
    for (const file of this.namespaces.values()) closeSync(file);
    this.namespaces.clear();
    if (!this.unit.runtimePreserve)
      this.forEachDirectory('runtime', (path) => rmSync(path, { recursive: true, force: true }));
    this.write(`ended: ${status}`);
    return status;
  }

  private async runMain(ending: AbortSignal): Promise<number | NodeJS.Signals> {
    const child = await this.spawn(this.unit.execStart[0]!);
    this.main = child;
    // It was told to stop meanwhile, when nobody was there to be told.
    if (ending.aborted) signal(child.pid, 'SIGKILL');
    const { type, timeoutStartMs } = this.unit;
    if (type === 'exec') this.becomesReady();
    const late = setTimeout(() => {
      if (this.state !== 'starting') return;
      this.write('was not ready in time');
      this.signalAll('SIGKILL');
    }, bounded(timeoutStartMs));
    const status = await child.ended;
    clearTimeout(late);
    this.main = undefined;
    return status;
  }

  /** What the main process left behind: told to end where the unit says so, and killed. */
  private async clear(): Promise<void> {
    if (this.unit.killMode === 'control-group') {
      const deadline = performance.now() + this.unit.timeoutStopMs;
      this.signalAll(this.unit.killSignal);
      this.signalAll('SIGCONT');
      while (this.pids.length > 0 && performance.now() < deadline) await delay(LOOK_MS);
    }
    await this.killed();
  }

  private async killed(): Promise<void> {
    const deadline = performance.now() + KILLED_MS;
    while (this.pids.length > 0) {
      if (performance.now() > deadline) throw new Error(`${this.unit.name}: ${this.pids.join(', ')} can't be killed.`);
      this.signalAll('SIGKILL');
      await delay(LOOK_MS);
    }
  }

  private async runAll(commands: readonly string[][]): Promise<void> {
    for (const command of commands) {
      const status = await (await this.spawn(command)).ended;
      if (status !== 0) throw new Error(`${command[0]} ended: ${status}`);
    }
  }

  private async spawn(command: readonly string[]): Promise<Child> {
    const { unit } = this;
    const files = unit.environmentFiles.flatMap((file) => readFileSync(file, 'utf8').split('\n'));
    const made = launch(unit, command, {
      groups: readFileSync('/etc/group', 'utf8'),
      openFiles: maxOpenFiles(),
      variables: assignments(files),
      ...(unit.type === 'notify' ? { notifySocket: this.notifySocket } : {}),
      ...(this.pid === undefined ? {} : { mainPid: this.pid }),
    });
    const child = await this.first.start(made, this.log);
    void this.follow(child);
    return child;
  }

  /** Learns which namespace it has made: not at once, as `unshare` has to run first. */
  private async follow(child: Child): Promise<void> {
    const before = namespaceOf(process.pid);
    while (child.alive) {
      const namespace = namespaceOf(child.pid);
      if (namespace !== undefined && namespace !== before) return this.hold(child.pid);
      await delay(1);
    }
  }

  private hold(pid: number): void {
    try {
      const file = openSync(`/proc/${pid}/ns/mnt`, 'r');
      this.namespaces.set(`mnt:[${fstatSync(file).ino}]`, file);
    } catch {
      // It has ended meanwhile.
    }
  }

  private prepare(): void {
    const [uid, gid] = this.ids();
    this.forEachDirectory('state', (path) => own(path, Number.parseInt(this.unit.stateMode, 8), [uid, gid]));
    this.forEachDirectory('runtime', (path) => own(path, Number.parseInt(this.unit.runtimeMode, 8), [uid, gid]));
    const folder = `/run/credentials/${this.unit.name}`;
    rmSync(folder, { recursive: true, force: true });
    for (const { id, path } of this.unit.credentials) {
      own(folder, 0o500, [uid, gid]);
      // The files of a folder are handed over one by one, under its name and theirs.
      const names = statSync(path).isDirectory() ? readdirSync(path) : [undefined];
      for (const name of names) {
        const to = `${folder}/${name === undefined ? id : `${id}_${name}`}`;
        copyFileSync(name === undefined ? path : `${path}/${name}`, to);
        chmodSync(to, 0o400);
        chownSync(to, uid, gid);
      }
    }
  }

  private ids(): [number, number] {
    const user = userOf(this.unit);
    const idOf = (flag: string): number => Number(execFileSync('id', [flag, user], { encoding: 'utf8' }));
    return [idOf('-u'), idOf('-g')];
  }

  private forEachDirectory(kind: 'state' | 'runtime', act: (path: string) => void): void {
    const names = kind === 'state' ? this.unit.stateDirectories : this.unit.runtimeDirectories;
    for (const name of names) act(kind === 'state' ? `/var/lib/${name}` : `/run/${name}`);
  }

  private isFinal(status: number | NodeJS.Signals): boolean {
    return typeof status === 'number' && this.unit.restartPreventExitStatus.includes(status);
  }

  private write(line: string): void {
    process.stderr.write(`${new Date().toISOString()} ${this.unit.name} ${line}\n`);
  }
}

function own(path: string, mode: number, [uid, gid]: [number, number]): void {
  if (!existsSync(path)) mkdirSync(path, { recursive: true });
  chmodSync(path, mode);
  chownSync(path, uid, gid);
}

function maxOpenFiles(): number {
  const hard = /^Max open files +\S+ +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'));
  return Number(hard?.[1] ?? Infinity);
}

/** What a timer of Node can take. */
function bounded(ms: number): number {
  return Math.min(ms, 2 ** 31 - 1);
}
