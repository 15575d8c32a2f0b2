import type { Socket } from 'node:net';
import type { Run } from '../run.ts';
import { broken, closed, unreadable } from './broken-exchange.ts';
import { Crumbs } from './crumbs.ts';
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

/**
 * Sends one request on a connection and takes the answer in, as one step of a run.
 * @throws CheckFailure `closed`, `protocol`, `body`, `settings`, `resources`
 */
export function exchange(run: Run, socket: Socket, request: HttpRequest, wish: ExchangeWish): Promise<Answer> {
  const message = requestHead(request, wish.lines);
  return run.step<Answer>((done, fail) => {
    const taking = new Taking(run, { done, fail, wish: wish.body });
    const reader = new ResponseReader(request.method, taking, !wish.statusAlone);
    const crumbs = new Crumbs(socket);

    /** @returns whether the answer is over, or no answer */
    const read = (data: Buffer): boolean => {
      try {
        const over = reader.push(data);
        if (!over && !taking.enough) return false;
        taking.finish(over);
      } catch (error) {
        taking.break(unreadable(error));
      }
      return true;
    };
    const onData = (data: Buffer): void => {
      taking.begin();
      if (!run.work(() => read(data))) crumbs.took(data.length);
    };
    const onEnd = (): void => {
      if (reader.endsWithConnection) taking.finish(true);
      else taking.break(closed(taking.begun));
    };
    const onError = (error: NodeJS.ErrnoException): void => taking.break(broken(error, taking.begun));

    socket.on('data', onData).on('end', onEnd).on('close', onEnd).on('error', onError);
    send(socket, message, request.body);
    return () => {
      crumbs.stop();
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
