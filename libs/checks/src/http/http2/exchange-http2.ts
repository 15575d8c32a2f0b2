import { type ClientHttp2Stream, connect, type SecureClientSessionOptions } from 'node:http2';
import type { Socket } from 'node:net';
import type { CheckFailure } from '../../failure.ts';
import type { Run } from '../../run.ts';
import { bytes } from '../../words.ts';
import { closed, unreadable } from '../broken-exchange.ts';
import type { ExchangeWish } from '../exchange.ts';
import { BadMessage } from '../message/bad-message.ts';
import { framingOf } from '../message/framing.ts';
import { MAX_CHUNKING_BYTES, MAX_HEAD_BYTES } from '../message/response-reader.ts';
import type { HttpRequest } from '../request.ts';
import { type Answer, Taking } from '../taking.ts';
import { brokenStream } from './broken-stream.ts';
import { requestFields } from './request-fields.ts';
import { ResponseHeads, TOO_MANY_FIELDS } from './response-heads.ts';
import { Wire } from './wire.ts';

const SESSION: SecureClientSessionOptions = {
  settings: { enablePush: false, initialWindowSize: 1_048_576, maxHeaderListSize: MAX_HEAD_BYTES },
  maxHeaderListPairs: TOO_MANY_FIELDS,
  // Curl takes white space around a value, too.
  strictFieldWhitespaceValidation: false,
};
/** What frames may take beyond the body that is in them: their heads, fields, padding, and frames of no answer. */
const MAX_FRAMING_BYTES = MAX_HEAD_BYTES + MAX_CHUNKING_BYTES;

/**
 * Sends one request in HTTP/2 on a connection that has agreed to it, and takes the answer in, as one step of a run.
 * @throws CheckFailure `closed`, `protocol`, `body`, `settings`, `resources`
 */
export function exchangeHttp2(run: Run, socket: Socket, request: HttpRequest, wish: ExchangeWish): Promise<Answer> {
  const fields = requestFields(request, wish.lines);
  return run.step<Answer>((done, fail) => {
    const taking = new Taking(run, { done, fail, wish: wish.body });
    const heads = new ResponseHeads();
    let read = 0;
    let received = 0;
    let length: number | undefined;
    let goaway: number | undefined;
    let over = false;

    /** Does what an event asks for, unless all is over; what it throws breaks the answer. */
    const guarded = (act: () => void): void => {
      try {
        if (!over) act();
      } catch (error) {
        taking.break(unreadable(error));
      }
    };
    const wire = new Wire(socket, (data, pass) =>
      guarded(() => {
        read += data.length;
        if (read > MAX_FRAMING_BYTES + 2 * received) {
          throw new BadMessage(`the frames take more than ${bytes(MAX_FRAMING_BYTES)} beside what is in them`);
        }
        run.work(pass);
      }),
    );
    const onInterim = (fields: readonly string[]): void =>
      guarded(() => {
        taking.begin();
        heads.skipInterim(fields);
      });
    const onHead = (fields: readonly string[]): void =>
      guarded(() => {
        taking.begin();
        const head = heads.last(fields);
        const framing = framingOf(request.method, head);
        if (typeof framing === 'number') length = framing;
        if (!taking.head(head, framing) || framing === 0) taking.finish(framing === 0);
        else stream.on('data', onBody);
      });
    const onBody = (part: Buffer): void =>
      guarded(() => {
        received += part.length;
        taking.body(part);
      });
    const onEnd = (): void =>
      guarded(() => {
        if (stream.rstCode) throw failure();
        if (length !== undefined && received < length) throw closed(true);
        taking.finish(true);
      });
    const onBreak = (error?: NodeJS.ErrnoException): void =>
      guarded(() => {
        throw failure(error);
      });
    const failure = (error?: NodeJS.ErrnoException): CheckFailure =>
      brokenStream(error, { begun: taking.begun, reset: stream.rstCode ?? 0, goaway, ended: wire.readableEnded });

    socket.on('error', onBreak);
    const session = connect(request.url.origin, { ...SESSION, createConnection: () => wire });
    session.on('error', onBreak).on('goaway', (code: number) => (goaway = code));
    const stream: ClientHttp2Stream = session.request(fields, { endStream: request.body === undefined });
    stream
      .on('headers', (_, __, fields) => onInterim(fields))
      .on('response', (_, __, fields) => onHead(fields))
      .on('end', onEnd)
      .on('error', onBreak)
      .on('close', onBreak);
    if (request.body !== undefined) stream.end(request.body);
    return () => {
      over = true;
      taking.stop();
      socket.off('error', onBreak);
      session.destroy();
    };
  });
}
