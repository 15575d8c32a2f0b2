import { createServer, type RequestListener } from 'node:http';
import {
  createSecureServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type SecureServerOptions,
} from 'node:http2';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import type { TlsOptions } from 'node:tls';
import { type Finding, httpSettings, tcpSettings } from '@tocsin/contracts';
import { parseTargets, systemClock, TargetRules } from '@tocsin/core';
import { generate } from 'selfsigned';
import { onTestFinished } from 'vitest';
import type { z } from 'zod';
import { type CheckContext, runCheck } from '../src/index.ts';

const DAY_MS = 86_400_000;

/** Listens on a free port of loopback until the test is over. */
export async function listen(server: Server, sockets: Set<Socket>): Promise<number> {
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

export interface Running {
  port: number;
  url: string;
  /** Connections that are open now. */
  sockets: Set<Socket>;
}

/** A server that speaks whatever the test says, byte by byte. */
export async function rawServer(onConnection: (socket: Socket) => void): Promise<Running> {
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    onConnection(socket);
    socket.resume(); // a socket that is not read does not notice its end
  });
  const port = await listen(server, sockets);
  return { port, url: `http://127.0.0.1:${port}/`, sockets };
}

/** A raw server that sends a fixed text as soon as it is asked something. */
export function answering(text: string | Buffer, end = true): Promise<Running> {
  return rawServer((socket) => {
    socket.once('data', () => {
      socket.write(text);
      if (end) socket.end();
    });
  });
}

export async function webServer(listener: RequestListener): Promise<Running> {
  const sockets = new Set<Socket>();
  const port = await listen(createServer(listener), sockets);
  return { port, url: `http://127.0.0.1:${port}/`, sockets };
}

export async function secureServer(pems: Pems & TlsOptions, listener: RequestListener): Promise<Running> {
  const { private: key, cert, ...more } = pems;
  const sockets = new Set<Socket>();
  const port = await listen(createHttpsServer({ ...more, key, cert }, listener), sockets);
  return { port, url: `https://127.0.0.1:${port}/`, sockets };
}

export interface Http2Running extends Running {
  /** The protocols that clients have offered, one entry for each handshake, the refused ones too. */
  offered: string[][];
}

/** A server that speaks what `choose` takes of the protocols that a client offers: HTTP/2 alone by default. */
export async function http2Server(
  { private: key, cert }: Pems,
  listener: (request: Http2ServerRequest, response: Http2ServerResponse) => void,
  {
    choose = alone('h2'),
    ...options
  }: SecureServerOptions & { choose?: (offered: string[]) => string | undefined } = {},
): Promise<Http2Running> {
  const sockets = new Set<Socket>();
  const offered: string[][] = [];
  const ALPNCallback = ({ protocols }: { protocols: string[] }): string | undefined => {
    offered.push(protocols);
    return choose(protocols);
  };
  const server = createSecureServer({ allowHTTP1: true, ...options, key, cert, ALPNCallback }, listener);
  server.on('sessionError', () => undefined).on('stream', (stream) => stream.on('error', () => undefined));
  const port = await listen(server, sockets);
  return { port, url: `https://127.0.0.1:${port}/`, sockets, offered };
}

/** Chooses of what is offered the first of these that is; none, which ends the handshake, where there is none. */
export function alone(...protocols: string[]) {
  return (offered: string[]): string | undefined => protocols.find((protocol) => offered.includes(protocol));
}

export interface Pems {
  private: string;
  cert: string;
}

/** A certificate that signs itself. `days` counts from now and may be past. */
export async function certificate(
  o: { names?: string[]; ip?: string; from?: number; days?: number } = {},
): Promise<Pems> {
  const altNames = [
    ...(o.names ?? []).map((value) => ({ type: 2 as const, value })),
    ...(o.ip === undefined ? [] : [{ type: 7 as const, ip: o.ip }]),
  ];
  return generate([{ name: 'commonName', value: o.names?.[0] ?? 'tocsin test' }], {
    keyType: 'ec',
    algorithm: 'sha256',
    notBeforeDate: new Date(Date.now() + (o.from ?? -30) * DAY_MS),
    notAfterDate: new Date(Date.now() + (o.days ?? 30) * DAY_MS),
    extensions: [
      { name: 'basicConstraints', cA: true },
      { name: 'subjectAltName', altNames },
    ],
  });
}

/** The servers of tests are on loopback, which is denied by default. */
export const LOOPBACK = new TargetRules({ allow: parseTargets('127.0.0.0/8,::1') });

const context: CheckContext = {
  timeoutMs: 5_000,
  clock: systemClock,
  targets: LOOPBACK,
  openSecret: () => 'opened',
};

type HttpInput = Partial<z.input<typeof httpSettings>>;

/** Runs one http check against a server. */
export function checkHttp(
  server: { url: string },
  settings: HttpInput = {},
  o: Partial<CheckContext> = {},
): Promise<Finding> {
  const parsed = httpSettings.parse({ url: server.url, ...settings });
  return runCheck({ kind: 'http', settings: parsed }, { ...context, ...o });
}

/** Runs one tcp check against a port of loopback. */
export function checkTcp(
  server: { port: number },
  settings: Partial<z.input<typeof tcpSettings>> = {},
  o: Partial<CheckContext> = {},
): Promise<Finding> {
  const parsed = tcpSettings.parse({ host: '127.0.0.1', port: server.port, ...settings });
  return runCheck({ kind: 'tcp', settings: parsed }, { ...context, ...o });
}

/** What a finding says, for short. */
export function said({ verdict, message }: Finding): string {
  return `${verdict}: ${message}`;
}

/** Sends a body of some 600 KB in parts, for longer than what a connection brings is looked at once or twice. */
export function sendSlowly(response: { write(part: string): unknown; end(part: string): unknown }): void {
  let parts = 6;
  const timer = setInterval(() => {
    if (parts-- > 0) return void response.write('x'.repeat(100_000));
    clearInterval(timer);
    response.end('end');
  }, 60);
}
