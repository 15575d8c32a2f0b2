import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Command } from './commands.ts';
import { FirstProcess } from './first-process.ts';
import { userOf } from './launch.ts';
import { signal } from './processes.ts';
import { Service } from './service.ts';
import { fileOf, parseUnit } from './units.ts';

/**
 * What runs a host in systemd's stead. It starts the units that are enabled, keeps them running, and obeys the lines
 * on its input. When that ends, because who started the host has died, it ends too, and all of the host with it.
 */
const UNITS = '/etc/systemd/system';
const ENABLED = `${UNITS}/tocsin.target.wants`;
const LOGS = '/var/log/tocsin';
const NOTIFY = '/run/tocsin-lab';
const FIRST_DYNAMIC_ID = 61_184;

const [reports, orders] = process.argv.slice(-2).map(Number);
const first = new FirstProcess({ reports: reports!, orders: orders! });
const services = new Map<string, Service>();

function serviceOf(name: string): Service {
  const service = services.get(name);
  if (!service) throw new Error(`There is no unit ${name} here.`);
  return service;
}

/** Every unit that has a file; of a template, the instances that are enabled. */
function load(): void {
  mkdirSync(NOTIFY, { recursive: true });
  mkdirSync(LOGS, { recursive: true });
  const enabled = existsSync(ENABLED) ? readdirSync(ENABLED) : [];
  const plain = readdirSync(UNITS).filter((name) => /^tocsin[^@]*\.service$/.test(name));
  for (const name of new Set([...plain, ...enabled.filter((one) => one.endsWith('.service'))])) {
    const file = `${UNITS}/${fileOf(name)}`;
    const dropIns = existsSync(`${file}.d`) ? readdirSync(`${file}.d`).toSorted() : [];
    const texts = [file, ...dropIns.map((one) => `${file}.d/${one}`)].map((path) => readFileSync(path, 'utf8'));
    const paths = { log: `${LOGS}/${name}.log`, notifySocket: `${NOTIFY}/${name}` };
    const service = new Service(parseUnit(name, texts), first, paths);
    services.set(name, service);
    if (service.unit.dynamicUser) addUser(userOf(service.unit));
    if (service.unit.type === 'notify') first.listen(paths.notifySocket, (line) => service.notified(line));
  }
}

/** systemd makes up such users while a unit runs; here they stay in the host's own list. */
function addUser(name: string): void {
  const known = readFileSync('/etc/passwd', 'utf8').split('\n');
  if (known.some((line) => line.startsWith(`${name}:`))) return;
  const id = FIRST_DYNAMIC_ID + known.length;
  appendFileSync('/etc/passwd', `${name}:x:${id}:${id}::/:/usr/sbin/nologin\n`);
  appendFileSync('/etc/group', `${name}:x:${id}:\n`);
}

/** Starts units, each after those among them that it comes after. */
async function startAll(names: readonly string[]): Promise<void> {
  const begun = new Map<string, Promise<void>>();
  const begin = (name: string): Promise<void> => {
    const known = begun.get(name);
    if (known) return known;
    const service = serviceOf(name);
    const before = service.unit.after.filter((one) => names.includes(one));
    const job = Promise.allSettled(before.map(begin)).then(() => service.start());
    begun.set(name, job);
    return job;
  };
  await settled(names.map(begin));
}

/** Stops units in the reverse order. */
async function stopAll(names: readonly string[]): Promise<void> {
  const begun = new Map<string, Promise<void>>();
  const begin = (name: string): Promise<void> => {
    const known = begun.get(name);
    if (known) return known;
    const before = names.filter((one) => serviceOf(one).unit.after.includes(name));
    const job = Promise.allSettled(before.map(begin)).then(() => serviceOf(name).stop());
    begun.set(name, job);
    return job;
  };
  await settled(names.map(begin));
}

async function settled(jobs: readonly Promise<void>[]): Promise<void> {
  const failed = (await Promise.allSettled(jobs)).filter((job) => job.status === 'rejected');
  if (failed.length > 0) throw new Error(failed.map(({ reason }) => (reason as Error).message).join('\n'));
}

async function obey(command: Command): Promise<unknown> {
  switch (command.do) {
    case 'start':
      return startAll(command.units);
    case 'stop':
      return stopAll(command.units);
    case 'restart':
      await stopAll(command.units);
      return startAll(command.units);
    case 'reload':
      return settled(command.units.map((name) => serviceOf(name).reload()));
    case 'signal':
      for (const name of command.units) {
        const service = serviceOf(name);
        if (command.whom === 'all') service.signalAll(command.signal);
        else if (service.pid === undefined) throw new Error(`${name} does not run.`);
        else signal(service.pid, command.signal);
      }
      return undefined;
    case 'signal-host':
      // Everybody but the first process and this one.
      process.kill(-1, command.signal);
      return undefined;
    case 'status':
      return Object.fromEntries(
        [...services].map(([name, { state, pid, pids, restarts }]) => [name, { state, pid, pids, restarts }]),
      );
  }
}

function say(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

process.on('SIGPIPE', () => undefined);
createInterface(process.stdin)
  .on('line', (line) => {
    const command = JSON.parse(line) as Command & { id: number };
    obey(command).then(
      (value) => say({ id: command.id, value }),
      (error: Error) => say({ id: command.id, error: error.message }),
    );
  })
  .on('close', () => process.exit(0));

load();
const enabled = [...services.keys()].filter((name) => existsSync(`${ENABLED}/${name}`));
say({ booted: enabled });
startAll(enabled).catch((error: Error) => process.stderr.write(`${error.message}\n`));
