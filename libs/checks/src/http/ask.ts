import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { type Address, connect } from '../connect/connect.ts';
import { refusesProtocols } from '../connect/handshake-failure.ts';
import { CheckFailure } from '../failure.ts';
import type { Run } from '../run.ts';
import { exchange, type ExchangeWish } from './exchange.ts';
import type { ResponseHead } from './message/head.ts';
import type { HttpRequest } from './request.ts';
import type { Answer, BodyWish } from './answer-collector.ts';

/** One request, and where it goes. */
export interface Question {
  request: HttpRequest;
  address: Address;
  /** The header lines, made once the server has shown who it is. */
  lines: () => readonly string[];
  body: ExchangeWish['body'];
}

const HTTP_1 = ['http/1.1'];
const EITHER = ['http/1.1', 'h2'];

/** The origins that have answered in HTTP/2 alone, of one monitor. */
export class Http2Origins {
  private readonly origins = new Set<string>();

  has(origin: string): boolean {
    return this.origins.has(origin);
  }

  add(origin: string): void {
    if (this.origins.size < MAX_ORIGINS) this.origins.add(origin);
  }

  delete(origin: string): void {
    this.origins.delete(origin);
  }
}
/** As many as a check may be redirected to. */
const MAX_ORIGINS = 20;

/**
 * Asks over a connection of its own. HTTP/1.1 alone is offered first, as nearly every server has it and it costs less; HTTP/2
 * is offered beside it to a server that does not take that, and from then on, at once.
 * @throws CheckFailure what `connect` and `exchange` throw
 */
export async function ask(run: Run, question: Question, http2: Http2Origins): Promise<Answer> {
  const { origin } = question.request.url;
  if (http2.has(origin)) return answerOver(run, question, await open(run, question, EITHER), http2);
  let socket: Socket | undefined;
  let spokeHttp1 = false;
  const body = (head: ResponseHead): BodyWish => {
    spokeHttp1 = true;
    return question.body(head);
  };
  try {
    socket = await open(run, question, HTTP_1);
    return await answerOver(run, { ...question, body }, socket, http2);
  } catch (failure) {
    if (spokeHttp1 || !mayHaveHttp2(failure, socket)) throw failure;
    return answerOver(run, question, await openHttp2(run, question, failure), http2);
  }
}

function open(run: Run, { address }: Question, protocols: string[]): Promise<Socket> {
  return connect(run, address.tls ? { ...address, tls: { ...address.tls, protocols } } : address);
}

async function openHttp2(run: Run, question: Question, before: unknown): Promise<Socket> {
  try {
    const socket = await open(run, question, EITHER);
    if (isHttp2(socket)) return socket;
  } catch (failure) {
    // A server that took HTTP/1.1 is judged by what it did then.
    if (!refusesProtocols(failure)) throw refusesProtocols(before) ? failure : before;
    const message = 'tls: the server speaks neither HTTP/1.1 nor HTTP/2 (no application protocol)';
    throw new CheckFailure('tls', message, { cause: failure });
  }
  throw before;
}

async function answerOver(run: Run, question: Question, socket: Socket, http2: Http2Origins): Promise<Answer> {
  const { request, body } = question;
  const wish = { lines: question.lines(), body };
  try {
    if (!isHttp2(socket)) {
      http2.delete(request.url.origin);
      return await exchange(run, socket, request, wish);
    }
    http2.add(request.url.origin);
    const { exchangeHttp2 } = await run.waitFor(import('./http2/exchange-http2.ts'));
    return await exchangeHttp2(run, socket, request, wish);
  } catch (failure) {
    if (isBroken(failure)) http2.delete(request.url.origin); // perhaps it wants HTTP/1.1 by now
    throw failure;
  } finally {
    socket.destroy();
  }
}

function isHttp2(socket: Socket): boolean {
  return socket instanceof TLSSocket && socket.alpnProtocol === 'h2';
}

/**
 * Whether a server that failed with HTTP/1.1 may have HTTP/2 alone: it refused the handshake for it, or it chose no protocol
 * (as Go's servers then do) and it sent no status line.
 */
function mayHaveHttp2(failure: unknown, socket: Socket | undefined): boolean {
  if (!socket) return refusesProtocols(failure);
  if (!(socket instanceof TLSSocket) || socket.alpnProtocol !== false) return false;
  return isBroken(failure);
}

function isBroken(failure: unknown): boolean {
  return failure instanceof CheckFailure && (failure.reason === 'closed' || failure.reason === 'protocol');
}
