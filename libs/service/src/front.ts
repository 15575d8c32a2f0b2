import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { metricsText } from '@tocsin/telemetry';
import type { Health } from './health.ts';

const KEEP_ALIVE_MS = 65_000;
const HEADERS_BOUND_MS = 15_000;
const REQUEST_BOUND_MS = 60_000;

const MALFORMED = {
  status: 400,
  reason: 'Bad Request',
  code: 'invalid',
  retry: false,
  detail: 'This is not a well-formed HTTP request.',
};
const BROKEN: Record<string, typeof MALFORMED | undefined> = {
  HPE_HEADER_OVERFLOW: {
    ...MALFORMED,
    status: 431,
    reason: 'Request Header Fields Too Large',
    code: 'too_large',
    detail: 'The headers are larger than 16 KiB together.',
  },
  ERR_HTTP_REQUEST_TIMEOUT: {
    status: 408,
    reason: 'Request Timeout',
    code: 'deadline',
    retry: true,
    detail: 'The request did not arrive in time.',
  },
};

/**
 * The HTTP server of a process. Health and metrics answer from its first moment, before anything else is there;
 * other requests go to the application once it is set, and are refused with 503 before.
 */
export class Front {
  readonly server: Server;
  private application: RequestListener | undefined;
  private running = 0;
  private whenIdle: (() => void) | undefined;

  constructor(private readonly health: Health) {
    this.server = createServer(
      { keepAliveTimeout: KEEP_ALIVE_MS, headersTimeout: HEADERS_BOUND_MS, requestTimeout: REQUEST_BOUND_MS },
      (request, response) => this.handle(request, response),
    );
    this.server.on('clientError', refuseBrokenRequest);
  }

  /** Listens and returns the port. Throws when the address can't be had. */
  async listen(host: string, port: number): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen({ host, port }, () => resolve());
    });
    return (this.server.address() as AddressInfo).port;
  }

  /** Passes requests to the application from now on; `requestTimeoutMs` bounds how long one may take to arrive. */
  serve(application: RequestListener, requestTimeoutMs = REQUEST_BOUND_MS): void {
    this.server.requestTimeout = requestTimeoutMs;
    this.application = application;
  }

  /** Takes no new connections; idle ones are closed, and running requests go on. */
  stopTaking(): void {
    if (this.server.listening) this.server.close();
    this.server.closeIdleConnections();
  }

  /** Waits until all running requests are answered, at most `boundMs`. */
  async finish(boundMs: number): Promise<void> {
    if (this.running === 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, boundMs);
      this.whenIdle = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** Ends whatever is still open. */
  close(): void {
    this.stopTaking();
    this.server.closeAllConnections();
  }

  private handle(request: IncomingMessage, response: ServerResponse): void {
    if (this.health.draining) response.setHeader('connection', 'close');
    const path = request.url?.split('?', 1)[0];
    if (path === '/health/live') return send(response, 200, { status: 'live' });
    if (path === '/health/ready') return void this.sendReadiness(response);
    if (path === '/metrics') return void sendMetrics(response);
    if (this.application) return this.pass(this.application, request, response);
    response.setHeader('retry-after', '1');
    send(response, 503, {
      type: 'urn:tocsin:problem:unavailable',
      title: 'Starting',
      status: 503,
      detail: 'This instance is starting. Try again in a moment.',
      code: 'unavailable',
      retry: true,
    });
  }

  private pass(application: RequestListener, request: IncomingMessage, response: ServerResponse): void {
    this.running++;
    response.once('close', () => {
      if (--this.running === 0) this.whenIdle?.();
    });
    application(request, response);
  }

  private async sendReadiness(response: ServerResponse): Promise<void> {
    const report = await this.health.report();
    send(response, report.status === 'ready' ? 200 : 503, report);
  }
}

/** What is not HTTP never reaches the application: it is told so in the form of every other refusal. */
function refuseBrokenRequest(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  const { status, reason, code, retry, detail } = BROKEN[error.code ?? ''] ?? MALFORMED;
  const body = JSON.stringify({ type: `urn:tocsin:problem:${code}`, title: reason, status, detail, code, retry });
  const head = `HTTP/1.1 ${status} ${reason}\r\ncontent-type: application/problem+json\r\nconnection: close\r\n`;
  socket.end(`${head}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
}

async function sendMetrics(response: ServerResponse): Promise<void> {
  const { contentType, body } = await metricsText();
  response.writeHead(200, { 'content-type': contentType, 'cache-control': 'no-store' }).end(body);
}

function send(response: ServerResponse, status: number, body: unknown): void {
  const type = status === 503 && typeof body === 'object' && body !== null && 'type' in body ? 'problem+json' : 'json';
  response
    .writeHead(status, { 'content-type': `application/${type}`, 'cache-control': 'no-store' })
    .end(JSON.stringify(body));
}
