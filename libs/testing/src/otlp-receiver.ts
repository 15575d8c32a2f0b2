import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import * as http2 from 'node:http2';
import * as https from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { gunzipSync } from 'node:zlib';
import type { TestCertificate } from './certificates.ts';
import {
  decoded,
  hexId,
  type OtlpExport,
  type OtlpResource,
  type OtlpSignal,
  plainAttributes,
  plainValue,
} from './otlp-messages.ts';

/** Who exported something, and all that its resource says. */
interface Collected {
  service: string;
  instance: string;
  resource: Record<string, unknown>;
}

/** One span as it was exported, with the service that made it. */
export interface CollectedSpan extends Collected {
  name: string;
  traceId: string;
  spanId: string;
  parentSpanId: string | undefined;
  attributes: Record<string, unknown>;
  links: readonly { traceId: string; spanId: string }[];
  failed: boolean;
}

/** One line of a log as it was exported. */
export interface CollectedLog extends Collected {
  context: string;
  level: string | undefined;
  body: unknown;
  attributes: Record<string, unknown>;
  traceId: string | undefined;
  spanId: string | undefined;
}

/** One counter as it was exported, with the values of its series. */
export interface CollectedMetric extends Collected {
  name: string;
  points: { value: number; attributes: Record<string, unknown> }[];
}

/** One request of an exporter. */
export interface OtlpRequest {
  protocol: 'http/protobuf' | 'http/json' | 'grpc';
  path: string;
  headers: IncomingHttpHeaders;
  compressed: boolean;
}

export interface OtlpReceiverOptions {
  /** Speaks gRPC instead of HTTP. */
  grpc?: boolean;
  tls?: TestCertificate;
  /** Takes requests and answers none. */
  silent?: boolean;
}

/** A gRPC message is framed: one byte says whether it is compressed, four are its length. */
const GRPC_FRAME_BYTES = 5;
const ANSWER = { 'http/json': '{}', 'http/protobuf': '', grpc: Buffer.alloc(GRPC_FRAME_BYTES) };

/** A collector for tests: takes OTLP as http/protobuf, http/json or gRPC, like a real one, and keeps what it got. */
export class OtlpReceiver {
  readonly spans: CollectedSpan[] = [];
  readonly logs: CollectedLog[] = [];
  readonly metrics: CollectedMetric[] = [];
  readonly requests: OtlpRequest[] = [];
  private readonly sockets = new Set<Socket>();

  private constructor(
    private readonly server: Server | http2.Http2Server,
    private readonly options: OtlpReceiverOptions,
  ) {
    server.on('request', (request: IncomingMessage, response: ServerResponse) => this.serve(request, response));
    server.on('connection', (socket: Socket) => {
      this.sockets.add(socket);
      socket.once('close', () => this.sockets.delete(socket));
    });
  }

  static async start(options: OtlpReceiverOptions = {}): Promise<OtlpReceiver> {
    const { grpc, tls } = options;
    const server = grpc
      ? tls
        ? http2.createSecureServer(tls)
        : http2.createServer()
      : tls
        ? https.createServer(tls)
        : createServer();
    const receiver = new OtlpReceiver(server as Server, options);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return receiver;
  }

  /** What OTEL_EXPORTER_OTLP_ENDPOINT is set to. */
  get endpoint(): string {
    const { port } = this.server.address() as AddressInfo;
    return `${this.options.tls ? 'https' : 'http'}://127.0.0.1:${port}`;
  }

  /** The spans of one trace. */
  trace(traceId: string): CollectedSpan[] {
    return this.spans.filter((span) => span.traceId === traceId);
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    for (const socket of this.sockets) socket.destroy();
    await closed;
  }

  private serve(request: IncomingMessage, response: ServerResponse): void {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const received = this.receive(request, Buffer.concat(chunks));
      if (this.options.silent) return;
      response.setHeader('content-type', String(request.headers['content-type']));
      if (received.protocol === 'grpc') response.addTrailers({ 'grpc-status': '0' });
      response.end(ANSWER[received.protocol]);
    });
  }

  private receive({ url, headers }: IncomingMessage, body: Buffer): OtlpRequest {
    const path = String(url);
    const type = String(headers['content-type']);
    const protocol = type.includes('grpc') ? 'grpc' : type.includes('json') ? 'http/json' : 'http/protobuf';
    const compressed = protocol === 'grpc' ? body[0] === 1 : headers['content-encoding'] === 'gzip';
    const request = { protocol, path, headers, compressed } as const;
    this.requests.push(request);
    const framed = protocol === 'grpc' ? body.subarray(GRPC_FRAME_BYTES) : body;
    const message = compressed ? gunzipSync(framed) : framed;
    this.take(protocol === 'http/json' ? JSON.parse(message.toString()) : decoded(signalOf(path), message));
    return request;
  }

  private take(sent: OtlpExport): void {
    for (const { resource, scopeSpans } of sent.resourceSpans ?? []) {
      for (const span of scopeSpans.flatMap((scope) => scope.spans)) {
        this.spans.push({
          ...collectedFrom(resource),
          name: span.name,
          traceId: String(hexId(span.traceId)),
          spanId: String(hexId(span.spanId)),
          parentSpanId: hexId(span.parentSpanId),
          attributes: plainAttributes(span.attributes),
          links: (span.links ?? []).map((link) => ({
            traceId: String(hexId(link.traceId)),
            spanId: String(hexId(link.spanId)),
          })),
          failed: span.status?.code === 2,
        });
      }
    }
    for (const { resource, scopeLogs } of sent.resourceLogs ?? []) {
      for (const { scope, logRecords } of scopeLogs) {
        for (const record of logRecords) {
          this.logs.push({
            ...collectedFrom(resource),
            context: scope.name,
            level: record.severityText,
            body: plainValue(record.body),
            attributes: plainAttributes(record.attributes),
            traceId: hexId(record.traceId),
            spanId: hexId(record.spanId),
          });
        }
      }
    }
    for (const { resource, scopeMetrics } of sent.resourceMetrics ?? []) {
      for (const { name, sum } of scopeMetrics.flatMap((scope) => scope.metrics)) {
        const points = (sum?.dataPoints ?? []).map(({ asInt, asDouble, attributes }) => {
          return { value: Number(asInt ?? asDouble), attributes: plainAttributes(attributes) };
        });
        this.metrics.push({ ...collectedFrom(resource), name, points });
      }
    }
  }
}

/** `/v1/traces`, or `/opentelemetry.proto.collector.trace.v1.TraceService/Export` of gRPC. */
function signalOf(path: string): OtlpSignal {
  if (/trace/i.test(path)) return 'traces';
  return /logs/i.test(path) ? 'logs' : 'metrics';
}

function collectedFrom({ attributes }: OtlpResource): Collected {
  const resource = plainAttributes(attributes);
  return { service: String(resource['service.name']), instance: String(resource['service.instance.id']), resource };
}
