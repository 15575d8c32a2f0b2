import { once } from 'node:events';
import { isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { openConnection } from '@tocsin/checks';
import type { TargetGuard } from '@tocsin/core';
import { type FinalHead, finalHead, unchunked } from './final-head.ts';

const CONNECT_MS = 5_000;
const MOST_HEAD = 65_536;
/** How much of the body is read, and for how long: the status was the answer. */
const MOST_BODY = 4_096;
const BODY_MS = 1_000;

export interface PostWish {
  url: URL;
  /** Values that hold no line break: they go out as they are. */
  headers: Record<string, string>;
  body: string;
  tls: { verify: boolean; ca?: string | undefined };
  targets: TargetGuard;
  signal: AbortSignal;
}

export interface Posted extends Pick<FinalHead, 'status' | 'headers'> {
  /** The beginning of the body, which ends in `…` where there is more; empty where it is compressed. */
  text: string;
}

/**
 * Posts to an address over a connection of its own: one that was kept open may be closed by the receiver just as the alarm
 * is written to it. Once a final status line has come with its headers, that is the answer, whatever the body does.
 * Redirects are not followed.
 * @throws an error that says why there was no answer
 */
export async function post(wish: PostWish): Promise<Posted> {
  const { url, targets, signal } = wish;
  const secure = url.protocol === 'https:';
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const port = Number(url.port) || (secure ? 443 : 80);
  const plain = await openConnection({ host, port, targets, timeoutMs: CONNECT_MS, signal });
  const socket = secure ? secured(plain, host, wish.tls) : plain;
  try {
    // Nothing is said to a receiver before it is known to be the one that is meant.
    if (secure) await once(socket, 'secureConnect', { signal });
    return await exchange(socket, wish);
  } finally {
    socket.on('error', () => undefined).destroy();
    plain.destroy();
  }
}

function secured(socket: Socket, host: string, { verify, ca }: PostWish['tls']): Socket {
  const servername = isIP(host) === 0 ? host : '';
  return connectTls({ socket, host, servername, rejectUnauthorized: verify, ...(ca === undefined ? {} : { ca }) });
}

function exchange(socket: Socket, { url, headers, body, signal }: PostWish): Promise<Posted> {
  return new Promise((resolve, reject) => {
    let heard = '';
    let head: FinalHead | undefined;
    let timer: NodeJS.Timeout | undefined;
    const end = (why: Error): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      if (head) resolve({ ...head, text: textOf(head, heard.slice(head.bodyAt), why === ENDED) });
      else reject(why === ENDED ? new Error('the receiver closed the connection before it answered') : why);
    };
    const onAbort = (): void => end(signal.reason as Error);
    signal.addEventListener('abort', onAbort);
    socket.on('error', end).on('end', () => end(ENDED)).on('close', () => end(ENDED)); // prettier-ignore
    socket.on('data', (chunk: Buffer) => {
      heard += chunk.toString('latin1');
      if (!head && chunk.includes(10)) head = finalHead(heard);
      if (!head && heard.length > MOST_HEAD)
        end(new Error('the receiver answered with no HTTP, or with too much of it'));
      if (!head) return;
      timer ??= setTimeout(() => end(MORE), BODY_MS);
      if (heard.length - head.bodyAt > MOST_BODY || isWhole(head, heard)) end(ENDED);
    });
    const lines = Object.entries({
      host: url.host,
      ...headers,
      'content-length': String(Buffer.byteLength(body)),
      connection: 'close',
    });
    const start = `POST ${url.pathname}${url.search} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`;
    socket.write(start + body);
  });
}

const ENDED = new Error('ended');
const MORE = new Error('more is to come');

function isWhole({ status, headers, bodyAt }: FinalHead, heard: string): boolean {
  if (status === 204) return true;
  if (headers.has('transfer-encoding')) return /(?:^|\n)0\r?\n\r?\n$/.test(heard.slice(bodyAt));
  const length = headers.get('content-length');
  return length !== undefined && /^\d+$/.test(length) && heard.length - bodyAt >= Number(length);
}

function textOf({ headers }: FinalHead, body: string, ended: boolean): string {
  if (headers.has('content-encoding')) return '';
  const sent = headers.has('transfer-encoding') ? unchunked(body) : body;
  const text = Buffer.from(sent, 'latin1').subarray(0, MOST_BODY).toString('utf8');
  return ended && sent.length <= MOST_BODY ? text : `${text}…`;
}
