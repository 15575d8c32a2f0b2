import { writeFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { certificate, OtlpReceiver, type OtlpReceiverOptions } from '@tocsin/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { buildToy } from './built-toy.ts';

const EVERYTHING = { OTEL_LOGS_EXPORTER: 'otlp', OTEL_METRICS_EXPORTER: 'otlp' };
const PROTOCOLS = ['http/protobuf', 'http/json', 'grpc'] as const;
const SDK = /^@opentelemetry\/(sdk-node|sdk-trace|sdk-logs|exporter-(?!prometheus)|otlp-)|^@grpc\//;

let toy: Awaited<ReturnType<typeof buildToy>>;
let folder: string;
const receivers: OtlpReceiver[] = [];

beforeAll(async () => {
  toy = await buildToy();
  folder = mkdtempSync(join(tmpdir(), 'tocsin-otlp-'));
});
afterEach(() => Promise.all(receivers.splice(0).map((receiver) => receiver.stop())));
afterAll(() => {
  toy.remove();
  rmSync(folder, { recursive: true, force: true });
});

async function receiving(options: OtlpReceiverOptions = {}): Promise<OtlpReceiver> {
  const receiver = await OtlpReceiver.start(options);
  receivers.push(receiver);
  return receiver;
}

/** Runs the toy against a receiver at the common endpoint, and gives what arrived. */
async function exported(env: Record<string, string>, options: OtlpReceiverOptions = {}): Promise<OtlpReceiver> {
  const receiver = await receiving(options);
  await toy.run({ OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint, ...env });
  return receiver;
}

const namesOf = (receiver: OtlpReceiver) => receiver.spans.map(({ name }) => name).toSorted();

describe('a built app that exports nothing', () => {
  it.each([
    ['without variables', {}],
    ['with metrics for Prometheus', { OTEL_METRICS_EXPORTER: 'prometheus' }],
    ['with OTEL_SDK_DISABLED', { OTEL_SDK_DISABLED: 'true', OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' }],
    ['with all exporters none', { OTEL_TRACES_EXPORTER: 'none', OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' }],
  ])('loads nothing of the SDK and serves its metrics, %s', async (_, env) => {
    const { lines, packages } = await toy.run(env);
    expect(packages).toContain('@opentelemetry/sdk-metrics');
    expect(packages.filter((name) => SDK.test(name))).toEqual([]);
    expect(lines.find(({ msg }) => msg === 'done')?.['metrics']).toContain('tocsin_toy_checks_total{kind="http"} 1');
  });
});

describe('OTEL_EXPORTER_OTLP_PROTOCOL', () => {
  it.each(PROTOCOLS)('%s carries spans, log and metrics of a built app to a receiver', async (protocol) => {
    const receiver = await exported(
      { ...EVERYTHING, OTEL_EXPORTER_OTLP_PROTOCOL: protocol },
      { grpc: protocol === 'grpc' },
    );
    expect(new Set(receiver.requests.map((request) => request.protocol))).toEqual(new Set([protocol]));
    const [outer, inner] = ['GET /toys', 'inner'].map((name) => receiver.spans.find((span) => span.name === name));
    expect(inner).toMatchObject({ traceId: outer?.traceId, parentSpanId: outer?.spanId });
    expect(receiver.logs.find(({ body }) => body === 'inside')).toMatchObject({
      service: 'toy',
      context: 'toy',
      level: 'warn',
      traceId: inner?.traceId,
      spanId: inner?.spanId,
      attributes: { size: 3 },
    });
    const counter = receiver.metrics.find(({ name }) => name === 'tocsin_toy_checks_total');
    expect(counter).toMatchObject({ instance: 'toy-1', points: [{ value: 1, attributes: { kind: 'http' } }] });
  });

  it('of one signal wins over the common one', async () => {
    const receiver = await exported({
      ...EVERYTHING,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
      OTEL_EXPORTER_OTLP_LOGS_PROTOCOL: 'http/protobuf',
      OTEL_EXPORTER_OTLP_METRICS_PROTOCOL: 'http/protobuf',
    });
    const protocols = Object.fromEntries(receiver.requests.map(({ path, protocol }) => [path, protocol]));
    expect(protocols).toEqual({
      '/v1/traces': 'http/json',
      '/v1/logs': 'http/protobuf',
      '/v1/metrics': 'http/protobuf',
    });
  });
});

describe('the endpoint', () => {
  it('that is common stands for traces alone, by http/protobuf', async () => {
    const receiver = await exported({});
    expect(new Set(receiver.requests.map(({ path, protocol }) => `${protocol} ${path}`))).toEqual(
      new Set(['http/protobuf /v1/traces']),
    );
  });

  it('of a signal takes that signal, at exactly that path', async () => {
    const [traces, logs, metrics] = await Promise.all([receiving(), receiving(), receiving()]);
    await toy.run({
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${traces.endpoint}/my/traces`,
      OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: `${logs.endpoint}/my/logs`,
      OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: `${metrics.endpoint}/my/metrics`,
    });
    const paths = [traces, logs, metrics].map(({ requests }) => [...new Set(requests.map(({ path }) => path))]);
    expect(paths).toEqual([['/my/traces'], ['/my/logs'], ['/my/metrics']]);
  });

  it.each(['http/protobuf', 'grpc'])(
    'with https is trusted by OTEL_EXPORTER_OTLP_CERTIFICATE (%s)',
    async (protocol) => {
      const tls = await certificate('valid');
      const ca = join(folder, 'ca.pem');
      writeFileSync(ca, tls.ca);
      const env = { ...EVERYTHING, OTEL_EXPORTER_OTLP_PROTOCOL: protocol };
      const options = { tls, grpc: protocol === 'grpc' };
      const trusted = await exported({ ...env, OTEL_EXPORTER_OTLP_CERTIFICATE: ca }, options);
      expect(namesOf(trusted)).toContain('GET /toys');
      expect(trusted.metrics.length).toBeGreaterThan(0);
      expect(trusted.logs.length).toBeGreaterThan(0);
      expect((await exported(env, options)).requests).toEqual([]);
    },
  );
});

describe('requests of the exporters', () => {
  it.each(PROTOCOLS)('carry OTEL_EXPORTER_OTLP_HEADERS (%s)', async (protocol) => {
    const { requests } = await exported(
      {
        ...EVERYTHING,
        OTEL_EXPORTER_OTLP_PROTOCOL: protocol,
        OTEL_EXPORTER_OTLP_HEADERS: 'x-tenant=toys,x-token=a%20b',
      },
      { grpc: protocol === 'grpc' },
    );
    expect(requests.length).toBeGreaterThanOrEqual(3);
    for (const { headers } of requests) expect(headers).toMatchObject({ 'x-tenant': 'toys', 'x-token': 'a b' });
  });

  it('of one signal carry its own headers in place of the common ones', async () => {
    const { requests } = await exported({
      ...EVERYTHING,
      OTEL_EXPORTER_OTLP_HEADERS: 'x-tenant=toys',
      OTEL_EXPORTER_OTLP_LOGS_HEADERS: 'x-tenant=logs',
    });
    const tenants = new Set(requests.map(({ path, headers }) => `${path} ${String(headers['x-tenant'])}`));
    expect(tenants).toEqual(new Set(['/v1/traces toys', '/v1/logs logs', '/v1/metrics toys']));
  });

  it.each(PROTOCOLS)('are compressed with OTEL_EXPORTER_OTLP_COMPRESSION=gzip (%s)', async (protocol) => {
    const receiver = await exported(
      { ...EVERYTHING, OTEL_EXPORTER_OTLP_PROTOCOL: protocol, OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip' },
      { grpc: protocol === 'grpc' },
    );
    expect(receiver.requests.every(({ compressed }) => compressed)).toBe(true);
    expect(namesOf(receiver)).toContain('GET /toys');
  });

  it('end after OTEL_EXPORTER_OTLP_TIMEOUT when the collector does not answer, and the log says so', async () => {
    const receiver = await receiving({ silent: true });
    const { lines } = await toy.run({
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint,
      OTEL_EXPORTER_OTLP_TIMEOUT: '200',
    });
    const said = lines.filter(({ context, level }) => context === 'opentelemetry' && level === 'warn');
    expect(JSON.stringify(said)).toMatch(/time/i);
  });

  it('hold as many spans as OTEL_BSP_MAX_EXPORT_BATCH_SIZE says', async () => {
    const { spans, requests } = await exported({ OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '1' });
    expect(requests).toHaveLength(spans.length);
    expect(spans.length).toBeGreaterThanOrEqual(4);
  });
});

describe('the resource', () => {
  it('names the service, its version, its instance and its host', async () => {
    const { spans } = await exported({});
    expect(spans[0]?.resource).toMatchObject({
      'service.name': 'toy',
      'service.namespace': 'tocsin',
      'service.version': expect.stringMatching(/^\d+\.\d+\.\d+/) as string,
      'service.instance.id': 'toy-1',
      'host.name': expect.any(String) as string,
    });
  });

  it('of spans, log and metrics follows OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES', async () => {
    const { spans, logs, metrics } = await exported({
      ...EVERYTHING,
      OTEL_SERVICE_NAME: 'watcher',
      OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=lab%2C1,service.name=loses,service.version=9',
    });
    for (const signal of [spans, logs, metrics]) {
      expect(signal[0]?.resource).toMatchObject({
        'service.name': 'watcher',
        'service.version': '9',
        'service.instance.id': 'toy-1',
        'deployment.environment.name': 'lab,1',
      });
    }
  });
});

describe('the sampler', () => {
  const others = ['GET /toys', 'broken', 'inner', 'refused'];
  it.each([
    ['keeps all but checks by default', { TOCSIN_TRACE_CHECK_RATIO: '0' }, others],
    ['keeps checks by TOCSIN_TRACE_CHECK_RATIO', { TOCSIN_TRACE_CHECK_RATIO: '1' }, [...others, 'check http']],
    ['always_on keeps all', { OTEL_TRACES_SAMPLER: 'always_on' }, [...others, 'check http']],
    ['always_off keeps nothing', { OTEL_TRACES_SAMPLER: 'always_off' }, []],
    ['traceidratio follows its argument', { OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '0' }, []],
    [
      'parentbased_traceidratio follows its argument',
      { OTEL_TRACES_SAMPLER: 'parentbased_traceidratio', OTEL_TRACES_SAMPLER_ARG: '1' },
      [...others, 'check http'],
    ],
  ])('%s', async (_, env, kept) => {
    const receiver = await receiving();
    // Sent after the spans, so that a receiver without spans has heard from the process all the same.
    await toy.run({ OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint, OTEL_LOGS_EXPORTER: 'otlp', ...env });
    expect(receiver.logs.map(({ body }) => body)).toContain('done');
    expect(namesOf(receiver)).toEqual(kept.toSorted());
  });

  it('leaves a refusal unmarked and marks a defect', async () => {
    const { spans } = await exported({});
    const failed = Object.fromEntries(spans.map((span) => [span.name, span.failed]));
    expect(failed).toMatchObject({ refused: false, broken: true, 'GET /toys': false });
  });
});

describe('the exporters', () => {
  it('of traces can be the console', async () => {
    const { output } = await toy.run({ OTEL_TRACES_EXPORTER: 'console' });
    expect(output).toContain("name: 'GET /toys'");
  });

  it.each([
    ['traces alone', { OTEL_LOGS_EXPORTER: 'none', OTEL_METRICS_EXPORTER: 'none' }, ['/v1/traces']],
    ['the log alone', { OTEL_LOGS_EXPORTER: 'otlp', OTEL_TRACES_EXPORTER: 'none' }, ['/v1/logs']],
    ['metrics alone', { OTEL_METRICS_EXPORTER: 'otlp', OTEL_TRACES_EXPORTER: 'none' }, ['/v1/metrics']],
  ])('export %s where that is what they name', async (_, env, paths) => {
    const { requests } = await exported(env);
    expect([...new Set(requests.map(({ path }) => path))]).toEqual(paths);
  });

  it('of the log hide secrets as stdout does, and give an error its attributes', async () => {
    const { logs } = await exported({ OTEL_LOGS_EXPORTER: 'otlp' });
    expect(logs.find(({ body }) => body === 'inside')?.attributes['password']).toBe('[hidden]');
    expect(logs.find(({ body }) => body === 'lost')?.attributes).toMatchObject({
      'exception.type': 'Error',
      'exception.message': 'no route to postgres://[hidden]@db',
      'exception.stacktrace': expect.stringContaining('work') as string,
    });
    expect(JSON.stringify(logs)).not.toContain('hunter2');
  });
});

describe('OTEL_LOG_LEVEL', () => {
  it('shows what the SDK does in the log on stdout, which does not export it: an export would cause the next', async () => {
    const receiver = await receiving();
    const { lines } = await toy.run({
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint,
      OTEL_LOGS_EXPORTER: 'otlp',
      OTEL_LOG_LEVEL: 'debug',
      TOCSIN_LOG_LEVEL: 'debug',
      OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '1',
      OTEL_BLRP_MAX_EXPORT_BATCH_SIZE: '1',
    });
    expect(lines.filter(({ context }) => context === 'opentelemetry').length).toBeGreaterThan(3);
    expect(new Set(receiver.logs.map(({ context }) => context))).toEqual(new Set(['toy']));
  });
});

describe('OTEL_PROPAGATORS', () => {
  it.each([
    ['traceparent by default', {}, ['traceparent']],
    ['traceparent and baggage', { OTEL_PROPAGATORS: 'tracecontext,baggage' }, ['traceparent', 'baggage']],
    ['b3', { OTEL_PROPAGATORS: 'b3' }, ['b3']],
    ['traceparent and b3', { OTEL_PROPAGATORS: 'tracecontext,b3' }, ['traceparent', 'b3']],
    ['nothing with none', { OTEL_PROPAGATORS: 'none' }, []],
  ])('carry a trace on as %s', async (_, env, carried) => {
    const { lines } = await toy.run({ OTEL_EXPORTER_OTLP_ENDPOINT: (await receiving()).endpoint, ...env });
    expect(lines.find(({ msg }) => msg === 'done')?.['carried']).toEqual(carried);
  });
});
