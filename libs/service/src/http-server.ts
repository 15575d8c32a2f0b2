import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { metricsText } from '@tocsin/telemetry';
import { OpenRequests } from './open-requests.ts';
import type { Health } from './health.ts';
import {
  BAD_HOST,
  EXPECTATION,
  NO_TUNNEL,
  NOTHING_HERE,
  rawRefusal,
  type Refusal,
  refusalOf,
  refuse,
  STARTING,
  TRACE_HEADER,
} from './refusals.ts';
import { hasGoodHost, newTraceId, traceIdOf } from './request-head.ts';

const KEEP_ALIVE_MS = 65_000;
const HEADERS_BOUND_MS = 15_000;
const REQUEST_BOUND_MS = 60_000;

/** How long a refused connection may take to read why, to stop sending, and to close. */
const LINGER_MS = 1_000;

/**
 * The HTTP server of a process. Health and metrics answer from its first moment, before anything else is there. It passes
 * other requests to the application once there is one, and refuses them with 503 before.
 */
export class HttpServer {
  readonly server: Server;
  private application: RequestListener | undefined;
  private readonly open = new OpenRequests();
  private running = 0;
  private whenIdle: (() => void) | undefined;

  constructor(private readonly health: Health) {
    this.server = createServer(
      {
        keepAliveTimeout: KEEP_ALIVE_MS,
        headersTimeout: HEADERS_BOUND_MS,
        requestTimeout: REQUEST_BOUND_MS,
        // A request without a Host is refused here, with a problem.
        requireHostHeader: false,
      },
      (request, response) => this.admit(request, response),
    );
    this.server.on('connection', (socket) => this.closeGently(socket));
    this.server.on('clientError', (error: NodeJS.ErrnoException, socket) => this.refuseBroken(error, socket));
    this.server.on('connect', (_request, socket) => this.refuseLast(socket, NO_TUNNEL));
    this.server.on('checkExpectation', (request, response) => this.admit(request, response, EXPECTATION));
  }

  /** Listens and returns the port. Throws when the address can't be had. */
  async listen(host: string, port: number): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen({ host, port }, () => resolve());
    });
    return (this.server.address() as AddressInfo).port;
  }

  /** Passes requests to the application from now on. */
  serve(application: RequestListener): void {
    this.application = application;
  }

  /** Refuses requests with 404 from now on, since no application answers them. */
  serveNothing(): void {
    this.application = (_request, response) => refuse(response, NOTHING_HERE);
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

  private admit(request: IncomingMessage, response: ServerResponse, refusal?: Refusal): void {
    this.open.add(request, response);
    response.setHeader(TRACE_HEADER, traceIdOf(request));
    const refused = hasGoodHost(request) ? refusal : BAD_HOST;
    if (refused || this.health.draining) response.setHeader('connection', 'close');
    if (refused) refuse(response, refused);
    else this.handle(request, response);
  }

  private handle(request: IncomingMessage, response: ServerResponse): void {
    const path = request.url?.split('?', 1)[0];
    if (path === '/health/live') return send(response, 200, { status: 'live' });
    if (path === '/health/ready') return void this.sendReadiness(response);
    if (path === '/metrics') return void sendMetrics(response);
    if (this.application) return this.pass(this.application, request, response);
    refuse(response, STARTING);
  }

  /**
   * A request that is refused may still be arriving when its answer is the last one. To close then makes the kernel reset
   * the connection, and the client may lose the answer (RFC 9112, 9.6): we end our side, and read on for a moment.
   */
  private closeGently(socket: Socket): void {
    const close = socket.destroySoon.bind(socket);
    socket.destroySoon = () => {
      if (!this.open.isArriving(socket)) return close();
      socket.end();
      setTimeout(() => socket.destroy(), LINGER_MS).unref();
    };
  }

  /** What is not HTTP never reaches the application. */
  private refuseBroken(error: NodeJS.ErrnoException, socket: Duplex): void {
    if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
    this.refuseLast(socket, refusalOf(error.code));
  }

  /** Refuses what followed the requests of a connection, once those are answered, and ends it. */
  private refuseLast(socket: Duplex, refusal: Refusal): void {
    const isFirst = this.open.afterAnswers(socket, () => {
      if (socket.writable) socket.end(rawRefusal(refusal, newTraceId()));
      setTimeout(() => socket.destroy(), LINGER_MS).unref();
    });
    // The connection has no other listener once a tunnel was asked for.
    if (isFirst) socket.on('error', () => socket.destroy());
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

async function sendMetrics(response: ServerResponse): Promise<void> {
  const { contentType, body } = await metricsText();
  response.writeHead(200, { 'content-type': contentType, 'cache-control': 'no-store' }).end(body);
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response
    .writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' })
    .end(JSON.stringify(body));
}
