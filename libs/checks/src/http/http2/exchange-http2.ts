import { connect, type SecureClientSessionOptions } from 'node:http2';
import type { Socket } from 'node:net';
import type { Run } from '../../run.ts';
import { unreadable } from '../broken-exchange.ts';
import type { ExchangeWish } from '../exchange.ts';
import { MAX_HEAD_BYTES } from '../message/response-reader.ts';
import type { HttpRequest } from '../request.ts';
import { type Answer, AnswerCollector } from '../answer-collector.ts';
import { AnswerReader, TOO_MANY_FIELDS } from './answer-reader.ts';
import { brokenStream } from './broken-stream.ts';
import { requestFields } from './request-fields.ts';
import { SessionSocket } from './session-socket.ts';

/** Room for a whole body of the usual bound, so that a distant server sends it without waiting. */
const WINDOW_BYTES = 1_048_576;
const SESSION: SecureClientSessionOptions = {
  settings: { enablePush: false, initialWindowSize: WINDOW_BYTES, maxHeaderListSize: MAX_HEAD_BYTES },
  maxHeaderListPairs: TOO_MANY_FIELDS,
  // Curl takes white space around a value, too.
  strictFieldWhitespaceValidation: false,
};

/**
 * Sends one request in HTTP/2 on a connection that has agreed to it, and takes the answer in, as one step of a run.
 * @throws CheckFailure `closed`, `protocol`, `body`, `settings`, `resources`
 */
export function exchangeHttp2(run: Run, socket: Socket, request: HttpRequest, wish: ExchangeWish): Promise<Answer> {
  const fields = requestFields(request, wish.lines);
  return run.step<Answer>((done, fail) => {
    const collector = new AnswerCollector(run, { done, fail, wish: wish.body });
    const reader = new AnswerReader(request.method, collector);
    let goaway: number | undefined;
    let over = false;

    /** Does what an event asks for, unless all is over; what it throws breaks the answer. */
    const guarded = (act: () => void): void => {
      try {
        if (!over) act();
      } catch (error) {
        collector.break(unreadable(error));
      }
    };
    const onBreak = (error?: NodeJS.ErrnoException): void => {
      const { begun } = collector;
      const reset = stream.rstCode ?? 0;
      collector.break(brokenStream(error, { begun, reset, goaway, ended: connection.readableEnded }));
    };
    const connection = new SessionSocket(socket, (data, pass) =>
      guarded(() => {
        reader.wire(data.length);
        run.work(pass);
      }),
    );
    const session = connect(request.url.origin, { ...SESSION, createConnection: () => connection });
    const stream = session.request(fields, { endStream: request.body === undefined });

    socket.on('error', onBreak);
    session
      .on('connect', () => guarded(() => session.setLocalWindowSize(WINDOW_BYTES)))
      .on('goaway', (code: number) => (goaway = code))
      .on('error', onBreak);
    stream
      .on('headers', (_, __, raw: string[]) => guarded(() => reader.interim(raw)))
      .on('response', (_, __, raw: string[]) =>
        guarded(() => {
          // The body is read only now: it may come before its head is told of.
          if (reader.head(raw)) stream.on('data', (part: Buffer) => guarded(() => reader.body(part)));
        }),
      )
      .on('end', () => guarded(() => (reader.headed && !stream.rstCode ? reader.end() : onBreak())))
      .on('error', onBreak)
      .on('close', onBreak);
    if (request.body !== undefined) stream.end(request.body);
    return () => {
      over = true;
      collector.stop();
      socket.off('error', onBreak);
      session.destroy();
    };
  });
}
