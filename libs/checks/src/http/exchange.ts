import { ClientRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { alertFailure } from '../connect/handshake-failure.ts';
import { CheckFailure, ownFailure } from '../failure.ts';
import type { Run } from '../run.ts';
import { bytes, clean } from '../words.ts';
import type { HttpRequest } from './request.ts';

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  /** The body as it was sent (still compressed); empty when nobody wanted it. */
  body: Buffer;
}

export interface ExchangeWish {
  lines: string[];
  /** Keep the body: something asserts on it. Otherwise it is only counted. */
  keepBody: boolean;
  maxBodyBytes: number;
  /** Whether the answer is known well enough by its head alone. */
  headIsEnough(status: number, headers: IncomingHttpHeaders): boolean;
}

const MAX_HEADER_BYTES = 65_536;

/**
 * Sends one request on a connection and takes the answer in, as one step of a run.
 * @throws CheckFailure `closed`, `protocol`, `body`, `settings`, `resources`
 */
export function exchange(run: Run, socket: Socket, request: HttpRequest, wish: ExchangeWish): Promise<Answer> {
  return run.step<Answer>((done, fail) => {
    const { clock } = run.context;
    const sentAt = clock.monotonic();
    run.phase = 'waiting for the first byte';
    const sent = send(socket, request, wish.lines);
    let answered = false;
    let over = false;
    // Over TLS the bytes of the handshake count too, so there only a whole head says that the answer has begun.
    const begun = (): boolean => answered || (!(socket instanceof TLSSocket) && socket.bytesRead > 0);
    const onError = (error: NodeJS.ErrnoException): void => fail(broken(error, begun()));
    const onClose = (): void => {
      if (!over) fail(closed(begun())); // it closes after every answer: a failure is made only if it is one
    };
    sent.on('response', (response) => {
      answered = true;
      run.spent('firstByteMs', clock.monotonic() - sentAt);
      run.facts.statusCode = response.statusCode!;
      run.phase = 'reading the body';
      response.on('error', onError).on('close', onClose);
      take(response, wish, { run, method: request.method, done, fail });
    });
    sent.on('error', onError).on('close', onClose);
    sent.end(request.body);
    return () => {
      over = true;
      sent.removeAllListeners();
      sent.on('error', ignore);
      sent.destroy();
    };
  });
}

function send(socket: Socket, request: HttpRequest, lines: string[]): ClientRequest {
  try {
    return new ClientRequest({
      createConnection: () => socket,
      method: request.method,
      path: request.url.pathname + request.url.search,
      headers: lines,
      maxHeaderSize: MAX_HEADER_BYTES,
      setDefaultHeaders: false,
    });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ERR_INVALID_CHAR') {
      throw new CheckFailure('settings', 'settings: a header value holds a line break or a control character', {
        cause,
      });
    }
    throw cause;
  }
}

interface Step {
  run: Run;
  method: string;
  done: (answer: Answer) => void;
  fail: (error: unknown) => void;
}

function take(response: IncomingMessage, wish: ExchangeWish, { run, method, done, fail }: Step): void {
  const status = response.statusCode!;
  const { headers } = response;
  if (wish.headIsEnough(status, headers)) return done({ status, headers, body: EMPTY });
  // The answer to HEAD names the length that GET would have, and comes without it.
  const declared = method === 'HEAD' ? 0 : Number(headers['content-length'] ?? 0);
  if (declared > wish.maxBodyBytes) return fail(tooLarge(wish.maxBodyBytes));

  const { clock } = run.context;
  const since = clock.monotonic();
  const chunks: Buffer[] = [];
  let length = 0;
  response.on('data', (chunk: Buffer) => {
    length += chunk.length;
    if (length > wish.maxBodyBytes) fail(tooLarge(wish.maxBodyBytes));
    else if (wish.keepBody) chunks.push(chunk);
  });
  response.on('end', () => {
    run.spent('transferMs', clock.monotonic() - since);
    done({ status, headers, body: chunks.length === 0 ? EMPTY : Buffer.concat(chunks, length) });
  });
}

const EMPTY = Buffer.alloc(0);

/** The failure of a body over its bound, sent or unpacked. */
export function tooLarge(maxBytes: number, after = ''): CheckFailure {
  return new CheckFailure('body', `body: larger than ${bytes(maxBytes)}${after}`);
}

function closed(begun: boolean, cause?: unknown): CheckFailure {
  const when = begun ? 'before the answer was whole' : 'before it answered';
  return new CheckFailure('closed', `closed: the server closed the connection ${when}`, { cause });
}

function broken(error: NodeJS.ErrnoException, begun: boolean): CheckFailure {
  const code = error.code ?? '';
  if (code === 'HPE_HEADER_OVERFLOW') {
    return new CheckFailure('protocol', `protocol: the headers are larger than ${bytes(MAX_HEADER_BYTES)}`, {
      cause: error,
    });
  }
  if (code === 'HPE_INVALID_EOF_STATE') return closed(true, error);
  if (code.startsWith('HPE_')) {
    const detail = clean(error.message.replace(/^Parse Error: /, ''), 80);
    return new CheckFailure('protocol', `protocol: the answer is not valid HTTP (${detail})`, { cause: error });
  }
  if (code === 'ECONNRESET' || code === 'EPIPE') return closed(begun, error);
  return (
    ownFailure(error) ??
    alertFailure(error) ??
    new CheckFailure('connect', `connect: the connection broke (${code || error.message})`, { cause: error })
  );
}

function ignore(): void {}
