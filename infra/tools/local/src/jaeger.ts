import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { basename, delimiter, join } from 'node:path';
import { RunningServer, freePort, inTocsin } from '@tocsin/testing/servers';

/** A Jaeger of our own: `url` is its page, `otlp` takes traces over HTTP. */
export interface RunningJaeger {
  server: RunningServer;
  url: string;
  otlp: string;
}

/**
 * Starts Jaeger (version 2, or 1 as all-in-one), which keeps traces in memory. Undefined when none is on the PATH, or when
 * OpenTelemetry's variables name another endpoint.
 */
export async function startJaeger(): Promise<RunningJaeger | undefined> {
  if (process.env.OTEL_EXPORTER_OTLP_ENDPOINT) return undefined;
  const program = onPath(['jaeger', 'jaeger-v2', 'jaeger-all-in-one']);
  if (!program) return undefined;
  const ports = { otlp: await freePort(), page: await freePort(), grpc: await freePort(), admin: await freePort() };
  const url = `http://127.0.0.1:${ports.page}`;
  const server = new RunningServer({
    name: 'Jaeger',
    url,
    port: ports.page,
    command: program,
    args: basename(program) === 'jaeger-all-in-one' ? version1(ports) : version2(ports),
    stopSignal: 'SIGTERM',
    logFile: inTocsin('logs', 'jaeger.log'),
    ready: async () => {
      const response = await fetch(`${url}/api/services`, { signal: AbortSignal.timeout(1_000) });
      if (!response.ok) throw new Error(`Jaeger answers ${response.status}`);
    },
  });
  await server.start();
  return { server, url, otlp: `http://127.0.0.1:${ports.otlp}` };
}

interface Ports {
  otlp: number;
  page: number;
  grpc: number;
  admin: number;
}

function version1(ports: Ports): string[] {
  const local = (port: number): string => `127.0.0.1:${port}`;
  return [
    `--collector.otlp.http.host-port=${local(ports.otlp)}`,
    `--collector.otlp.grpc.host-port=${local(0)}`,
    `--query.http-server.host-port=${local(ports.page)}`,
    `--query.grpc-server.host-port=${local(ports.grpc)}`,
    `--admin.http.host-port=${local(ports.admin)}`,
    `--collector.grpc-server.host-port=${local(0)}`,
    `--collector.http-server.host-port=${local(0)}`,
  ];
}

/** Only what is needed: its default configuration would open a dozen well-known ports. */
function version2(ports: Ports): string[] {
  const file = inTocsin('data', 'jaeger.yaml');
  mkdirSync(inTocsin('data'), { recursive: true });
  const pipeline = { receivers: ['otlp'], processors: ['batch'], exporters: ['jaeger_storage_exporter'] };
  const configuration = {
    service: {
      extensions: ['jaeger_storage', 'jaeger_query'],
      pipelines: { traces: pipeline },
      telemetry: { metrics: { level: 'none' } },
    },
    extensions: {
      jaeger_storage: { backends: { memory: { memory: { max_traces: 50_000 } } } },
      jaeger_query: {
        storage: { traces: 'memory' },
        http: { endpoint: `127.0.0.1:${ports.page}` },
        grpc: { endpoint: `127.0.0.1:${ports.grpc}` },
      },
    },
    receivers: { otlp: { protocols: { http: { endpoint: `127.0.0.1:${ports.otlp}` } } } },
    processors: { batch: {} },
    exporters: { jaeger_storage_exporter: { trace_storage: 'memory' } },
  };
  // JSON is YAML.
  writeFileSync(file, JSON.stringify(configuration, null, 2));
  return ['--config', file];
}

function onPath(names: string[]): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find((file) => existsSync(file));
}
