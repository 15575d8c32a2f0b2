import type { Socket } from 'node:net';
import { alertFailure } from '../connect/handshake-failure.ts';
import { CheckFailure, ownFailure } from '../failure.ts';
import type { Run } from '../run.ts';
import { BadMessage, TooLargeHead } from './message/bad-message.ts';
import type { ResponseHead } from './message/head.ts';
import { ResponseReader } from './message/response-reader.ts';
import type { HttpRequest } from './request.ts';
import { requestHead } from './request-message.ts';
import { type Answer, type BodyWish, Taking } from './taking.ts';

export interface ExchangeWish {
  /** Header lines, names and values in turn. */
  lines: readonly string[];
  /** What is wanted of the body, once the head is known. */
  body: (head: ResponseHead) => BodyWish;
  /** The status is all that counts, whatever else is wrong with the answer. */
  statusAlone?: boolean;
}

/** A target that answers in crumbs is read this seldom, once it has been read that often: reads cost more than bytes. */
const CRUMB = { bytes: 1_024, afterReads: 32, pauseMs: 10 };

/**
 * Sends one request on a connection and takes the answer in, as one step of a run.
 * @throws CheckFailure `closed`, `protocol`, `body`, `settings`, `resources`
 */
export function exchange(run: Run, socket: Socket, request: HttpRequest, wish: ExchangeWish): Promise<Answer> {
  const message = requestHead(request, wish.lines);
  return run.step<Answer>((done, fail) => {
    const taking = new Taking(run, { done, fail, wish: wish.body });
    const reader = new ResponseReader(request.method, taking, !wish.statusAlone);
    let reads = 0;
    let pause: NodeJS.Timeout | undefined;

    /** @returns whether the answer is over, or no answer */
    const read = (data: Buffer): boolean => {
      try {
        const over = reader.push(data);
        if (!over && !taking.enough) return false;
        taking.finish(over);
      } catch (error) {
        taking.break(failureOf(error));
      }
      return true;
    };
    const onData = (data: Buffer): void => {
      taking.begin();
      if (run.work(() => read(data))) return;
      if (++reads <= CRUMB.afterReads || data.length >= CRUMB.bytes) return;
      socket.pause();
      pause = setTimeout(() => socket.resume(), CRUMB.pauseMs);
    };
    const onEnd = (): void => {
      if (reader.endsWithConnection) taking.finish(true);
      else taking.break(closed(taking.begun));
    };
    const onError = (error: NodeJS.ErrnoException): void => taking.break(broken(error, taking.begun));

    socket.on('data', onData).on('end', onEnd).on('close', onEnd).on('error', onError);
    send(socket, message, request.body);
    return () => {
      clearTimeout(pause);
      taking.stop();
      socket.off('data', onData).off('end', onEnd).off('close', onEnd).off('error', onError);
    };
  });
}

/** One write where it can be: a server may answer, and close, once it has the head. */
function send(socket: Socket, head: string, body: HttpRequest['body']): void {
  if (body === undefined) {
    socket.write(head, 'latin1');
    return;
  }
  socket.cork();
  socket.write(head, 'latin1');
  socket.write(body);
  socket.uncork();
}

function closed(begun: boolean, cause?: unknown): CheckFailure {
  const when = begun ? 'before the answer was whole' : 'before it answered';
  return new CheckFailure('closed', `closed: the server closed the connection ${when}`, { cause });
}

function failureOf(error: unknown): unknown {
  if (error instanceof TooLargeHead)
    return new CheckFailure('protocol', `protocol: ${error.message}`, { cause: error });
  if (!(error instanceof BadMessage)) return error;
  return new CheckFailure('protocol', `protocol: the answer is not valid HTTP (${error.message})`, { cause: error });
}

function broken(error: NodeJS.ErrnoException, begun: boolean): CheckFailure {
  const { code = '' } = error;
  if (code === 'ECONNRESET' || code === 'EPIPE') return closed(begun, error);
  return (
    ownFailure(error) ??
    alertFailure(error) ??
    new CheckFailure('connect', `connect: the connection broke (${code || error.message})`, { cause: error })
  );
}
