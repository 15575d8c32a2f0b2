import type { Socket } from 'node:net';
import type { Run } from '../run.ts';
import { broken, closed, unreadable } from './broken-exchange.ts';
import { ReadThrottle } from './read-throttle.ts';
import type { ResponseHead } from './message/head.ts';
import { ResponseReader } from './message/response-reader.ts';
import type { HttpRequest } from './request.ts';
import { requestHead } from './request-message.ts';
import { type Answer, type BodyWish, AnswerCollector } from './answer-collector.ts';

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
    const collector = new AnswerCollector(run, { done, fail, wish: wish.body });
    const reader = new ResponseReader(request.method, collector, !wish.statusAlone);
    const throttle = new ReadThrottle(socket);

    /** @returns whether the answer is over, or no answer */
    const read = (data: Buffer): boolean => {
      try {
        const over = reader.push(data);
        if (!over && !collector.enough) return false;
        collector.finish(over);
      } catch (error) {
        collector.break(unreadable(error));
      }
      return true;
    };
    const onData = (data: Buffer): void => {
      collector.begin();
      if (!run.work(() => read(data))) throttle.took(data.length);
    };
    const onEnd = (): void => {
      if (reader.endsWithConnection) collector.finish(true);
      else collector.break(closed(collector.begun));
    };
    const onError = (error: NodeJS.ErrnoException): void => collector.break(broken(error, collector.begun));

    socket.on('data', onData).on('end', onEnd).on('close', onEnd).on('error', onError);
    send(socket, message, request.body);
    return () => {
      throttle.stop();
      collector.stop();
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
