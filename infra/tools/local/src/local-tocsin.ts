import { rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { type Service, serviceNames, services } from '@tocsin/contracts';
import {
  appsDir,
  freePort,
  freePortNear,
  inTocsin,
  isFree,
  occupantOf,
  projectRoot,
  RunningServer,
  type TocsinRuntime,
} from '@tocsin/testing/servers';
import { buildApps } from './build-apps.ts';
import { startJaeger, type RunningJaeger } from './jaeger.ts';
import { ControlPort } from './control-port.ts';
import { Links, straight } from './links.ts';
import { LocalServers } from './local-servers.ts';
import { addOwnMonitor } from './own-monitor.ts';
import { say, table } from './progress.ts';
import { allReady, healthOf } from './ready.ts';
import { removeRuntime, writeEnvironmentFile, writeRuntime } from './runtime-file.ts';
import { loadSecrets, tokenFile, type Secrets } from './secrets.ts';
import { environmentOf, inheritedEnvironment, TARGETS_ALLOWED, type Platform } from './service-environment.ts';
import { noteChildren } from './start-lock.ts';
import type { StartOptions } from './start-options.ts';
import { Supervisor } from './supervisor.ts';

/** Longer than a service drains. */
const SERVICE_STOP_MS = 12_000;

interface Instance {
  service: string;
  supervisor: Supervisor;
}

/** All of Tocsin on this machine: servers, then every sub-service, kept running until told to stop. */
export class LocalTocsin {
  private readonly servers: LocalServers;
  private readonly links: Links | undefined;
  private control: ControlPort | undefined;
  private readonly instances: Instance[] = [];
  /** Where clients find the gateways. */
  private gateways: string[] = [];
  private jaeger: RunningJaeger | undefined;
  private ready = false;
  /** Why the gateways are not where a person expects them. */
  private moved: string | undefined;
  private stopping = false;

  constructor(private readonly options: StartOptions) {
    this.links = options.drill ? Links.start() : undefined;
    this.servers = new LocalServers({
      cluster: options.cluster,
      road: this.links?.road ?? straight,
      changed: () => this.record(),
    });
  }

  /**
   * Resolves when every instance is ready and the table is printed, or early when the signal says to stop.
   * @throws when something can't be found, built or started; call `stop` all the same.
   */
  async start(signal: AbortSignal): Promise<void> {
    if (this.options.fresh) {
      say('deleting the data of earlier runs');
      // The secrets go with the data that they protect.
      for (const part of ['data', 'secrets.json']) rmSync(inTocsin(part), { recursive: true, force: true });
    }
    await this.lookAtPort();
    const secrets = loadSecrets();
    say('starting NATS, Redis and PostgreSQL; building what changed');
    const [platform] = await Promise.all([this.startServers(secrets), this.build(signal)]);
    if (signal.aborted) return;
    await this.startInstances(platform);
    say(`starting ${this.instances.length} instances of ${serviceNames.length} sub-services`);
    await allReady(
      this.instances.map(({ supervisor }) => supervisor),
      signal,
    );
    if (signal.aborted) return;
    await this.addOwnMonitorOnce(secrets.adminToken);
    this.ready = true;
    this.record();
    say('ready');
    console.log(this.summary());
  }

  /** Services first, in parallel, so that they can finish their work; then the servers. */
  async stop(): Promise<void> {
    this.stopping = true;
    removeRuntime();
    // Nothing can stop in order across a cut.
    await this.links?.heal({}).catch(() => undefined);
    await Promise.all(this.instances.map(({ supervisor }) => supervisor.stop()));
    await this.servers.stop();
    await this.jaeger?.server.stop();
    this.control?.stop();
    await this.links?.stop();
  }

  /** Apps that are taken from elsewhere were built by whoever put them there. */
  private async build(signal: AbortSignal): Promise<void> {
    if (process.env.TOCSIN_APPS_DIR) return say(`taking the apps from ${appsDir}`);
    await buildApps(signal);
    say('built');
  }

  private async startServers(secrets: Secrets): Promise<Platform> {
    const [platform, jaeger] = await Promise.all([
      this.servers.start(secrets),
      startJaeger().catch((error: unknown) => {
        say(`going on without Jaeger: ${String(error)}`);
        return undefined;
      }),
    ]);
    this.jaeger = jaeger;
    say(
      `servers ready: ${Object.values(this.servers.describe())
        .map(({ url }) => url)
        .join(' ')}`,
    );
    await noteChildren(this.pids());
    return platform;
  }

  private async startInstances(platform: Platform): Promise<void> {
    for (const service of Object.values(services)) {
      writeEnvironmentFile(service.name, { ...(await environmentOf(service, platform)), ...this.openTelemetry() });
      for (let number = 1; number <= this.options.instances; number++) {
        const instance = `${service.name}-${number}`;
        const port = await this.portOf(service, number);
        const environment = { ...(await environmentOf(service, platform, instance)), ...this.openTelemetry() };
        if (service.name === 'gateway') environment['TOCSIN_PUBLIC_URL'] = await this.openGateway(instance, port);
        this.instances.push({
          service: service.name,
          supervisor: this.supervise(service, { instance, port, environment }),
        });
      }
    }
    await this.openControl();
    for (const { supervisor } of this.instances) supervisor.start();
    await noteChildren(this.pids());
    this.record();
  }

  /** @throws when somebody asked for a port that is taken */
  private async lookAtPort(): Promise<void> {
    const { port, portAsked } = this.options;
    if (port === 0 || (await isFree(port))) return;
    const taken = `Port ${port} is taken by ${await occupantOf(port)}`;
    if (portAsked) throw new Error(`${taken}. Stop it, or start with another --port.`);
    this.moved = `${taken}, so the API is at another port than usual`;
    say(this.moved);
  }

  /** Gateways are where a person expects them, if that is free; everything else is anywhere. */
  private portOf(service: Service, number: number): Promise<number> {
    const fixed = service.name === 'gateway' && this.options.port !== 0;
    return fixed ? freePortNear(this.options.port + number - 1) : freePort();
  }

  /** The address at which clients find this gateway. */
  private async openGateway(instance: string, port: number): Promise<string> {
    const url = `http://127.0.0.1:${await (this.links?.road ?? straight)('clients', instance, port)}`;
    this.gateways.push(url);
    return url;
  }

  private async openControl(): Promise<void> {
    if (!this.links) return;
    const all = new Map([
      ...this.instances.map(({ supervisor }) => [supervisor.name, supervisor] as const),
      ...this.servers.supervisors,
    ]);
    this.control = await ControlPort.start({
      links: this.links,
      names: () => [...all.keys()],
      hold: (name) => all.get(name)?.hold(),
      release: (name) => all.get(name)?.release(),
    });
  }

  private supervise(
    service: Service,
    { instance, port, environment }: { instance: string; port: number; environment: Record<string, string> },
  ): Supervisor {
    const server = new RunningServer({
      name: instance,
      url: `http://127.0.0.1:${port}`,
      port,
      command: process.execPath,
      args: [join(appsDir, service.name, 'bin/main.js')],
      cwd: projectRoot,
      env: {
        ...inheritedEnvironment(),
        ...environment,
        TOCSIN_INSTANCE: instance,
        TOCSIN_HTTP_PORT: String(port),
      },
      stopSignal: 'SIGTERM',
      stopMs: SERVICE_STOP_MS,
      logFile: inTocsin('logs', `${instance}.log`),
    });
    return new Supervisor(instance, server, { changed: () => this.record() });
  }

  private async addOwnMonitorOnce(token: string): Promise<void> {
    const [gateway] = this.gateways;
    if (!gateway || !this.options.ownMonitor) return;
    await addOwnMonitor(gateway, token).catch((error: unknown) => say(String(error)));
  }

  /** OpenTelemetry's variables as this process has them; where they name no endpoint, our own Jaeger is one. */
  private openTelemetry(): Record<string, string> {
    const asked = Object.entries(process.env).flatMap(([name, value = '']) => {
      return name.startsWith('OTEL_') ? [[name, value] as const] : [];
    });
    const { otlp } = this.jaeger ?? {};
    return {
      ...Object.fromEntries(asked),
      ...(otlp ? { OTEL_EXPORTER_OTLP_ENDPOINT: otlp, OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf' } : {}),
    };
  }

  private pids(): number[] {
    const servers = Object.values(this.servers.describe()).map(({ pid }) => pid);
    return [...servers, ...this.instances.map(({ supervisor }) => supervisor.server.pid), this.links?.pid ?? -1];
  }

  /** Rewrites `.tocsin/runtime.json`: process ids change when something is restarted. */
  private record(): void {
    if (this.stopping || this.instances.length === 0) return;
    const runtime: TocsinRuntime = {
      pid: process.pid,
      ready: this.ready,
      gateways: this.gateways,
      instances: this.instances.map(({ service, supervisor: { name, server } }) => {
        return { service, instance: name, pid: server.pid, health: healthOf(server), log: server.logFile };
      }),
      servers: this.servers.describe(),
      tokenFile: tokenFile(),
      ...(this.jaeger ? { jaeger: this.jaeger.url } : {}),
      ...(this.control ? { control: this.control.url } : {}),
      ...(this.links ? { links: { pid: this.links.pid } } : {}),
    };
    writeRuntime(runtime);
    void noteChildren(this.pids());
  }

  private summary(): string {
    const rows = this.instances.map(({ supervisor: { name, server } }) => {
      return [name, String(server.pid), healthOf(server)];
    });
    const servers = Object.entries(this.servers.describe()).map(([name, { url, pid }]) => [name, String(pid), url]);
    const jaeger = this.jaeger ? [['jaeger', String(this.jaeger.server.pid), this.jaeger.url]] : [];
    const [gateway] = this.gateways;
    return [
      '',
      table([['what', 'process', 'address'], ...rows, ...servers, ...jaeger]),
      '',
      ...(this.moved ? [`NOTE     ${this.moved}`] : []),
      `API      ${this.gateways.map((url) => `${url}/v1`).join('  ')}   (docs: ${gateway}/docs)`,
      `Token    cat ${shown(tokenFile())}`,
      `Try      curl -H "Authorization: Bearer $(cat ${shown(tokenFile())})" ${gateway}/v1/monitors`,
      ...(this.control ? [`Control  ${this.control.url} (GET /links, POST /cut, /heal, /hold, /release)`] : []),
      `Targets  ${TARGETS_ALLOWED} may be watched too (TOCSIN_TARGETS_ALLOW): elsewhere loopback is denied by default`,
      `Logs     ${shown(inTocsin('logs', '<instance>.log'))}`,
      `Stop     Ctrl-C`,
      '',
    ].join('\n');
  }
}

/** As a person in the project's folder would type it. */
function shown(file: string): string {
  const path = relative(projectRoot, file);
  return path.startsWith('..') ? file : path;
}
