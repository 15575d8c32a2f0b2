import { constants } from 'node:http2';
import { CheckFailure } from '../../failure.ts';
import { before, broken, closed, notHttp } from '../broken-exchange.ts';
import { TooLargeHead } from '../message/bad-message.ts';
import { MAX_HEAD_BYTES } from '../message/response-reader.ts';

/** What is known when an answer breaks. */
export interface Breakage {
  /** Some of the answer had come. */
  begun: boolean;
  /** The code of RST_STREAM, which either side may have sent. */
  reset: number;
  /** The code of GOAWAY, where the server sent one. */
  goaway: number | undefined;
  /** The server has ended the connection. */
  ended: boolean;
}

/** Codes by which Node's session gives up an answer that breaks the protocol (RFC 9113, section 7). */
const OF_THE_PROTOCOL: ReadonlySet<number> = new Set([
  constants.NGHTTP2_PROTOCOL_ERROR,
  constants.NGHTTP2_FLOW_CONTROL_ERROR,
  constants.NGHTTP2_FRAME_SIZE_ERROR,
  constants.NGHTTP2_COMPRESSION_ERROR,
]);

/** What it means that a stream, its session or the connection below ended before the answer did. */
export function brokenStream(error: NodeJS.ErrnoException | undefined, known: Breakage): CheckFailure {
  const { begun, reset, goaway, ended } = known;
  if (error && !error.code?.startsWith('ERR_HTTP2_')) return broken(error, begun);
  if (goaway) return new CheckFailure('closed', `${closed(begun).message} (${nameOf(goaway)})`, { cause: error });
  if (error && error.code !== 'ERR_HTTP2_STREAM_ERROR') return notHttp(error.message, error, 'HTTP/2');
  // So Node's session ends an answer that has more fields than it may.
  if (reset === constants.NGHTTP2_ENHANCE_YOUR_CALM && !begun) return tooLargeHead(error);
  if (OF_THE_PROTOCOL.has(reset)) return notHttp(nameOf(reset), error, 'HTTP/2');
  if (ended) return closed(begun, error);
  const what = `the server gave up the request ${before(begun)} (${nameOf(reset)})`;
  return new CheckFailure('closed', `closed: ${what}`, { cause: error });
}

function tooLargeHead(cause: unknown): CheckFailure {
  return new CheckFailure('protocol', `protocol: ${new TooLargeHead(MAX_HEAD_BYTES).message}`, { cause });
}

/** The name that RFC 9113 gives to an error code. */
function nameOf(code: number): string {
  return NAMES.get(code) ?? `error ${code}`;
}
const NAMES: ReadonlyMap<unknown, string> = new Map(
  ['NO_ERROR', 'PROTOCOL_ERROR', 'INTERNAL_ERROR', 'FLOW_CONTROL_ERROR', 'SETTINGS_TIMEOUT', 'STREAM_CLOSED'] // 0 to 5
    .concat('FRAME_SIZE_ERROR', 'REFUSED_STREAM', 'CANCEL', 'COMPRESSION_ERROR', 'CONNECT_ERROR') // 6 to 10
    .concat('ENHANCE_YOUR_CALM', 'INADEQUATE_SECURITY', 'HTTP_1_1_REQUIRED') // 11 to 13
    .map((name, code) => [code, name]),
);
