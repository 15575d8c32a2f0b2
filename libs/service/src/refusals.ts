import type { ServerResponse } from 'node:http';

/** What is refused at the door of a process, before any application sees it: in the form of every other refusal (RFC 9457). */
export interface Refusal {
  status: number;
  reason: string;
  code: string;
  retry: boolean;
  detail: string;
  headers?: Record<string, string>;
}

/** The header that says the trace of an answer. */
export const TRACE_HEADER = 'tocsin-trace-id';

const MALFORMED: Refusal = {
  status: 400,
  reason: 'Bad Request',
  code: 'invalid',
  retry: false,
  detail: 'This is not a well-formed HTTP request.',
};

export const BAD_HOST: Refusal = { ...MALFORMED, detail: 'The request must have one Host header that names a host.' };

export const EXPECTATION: Refusal = {
  ...MALFORMED,
  status: 417,
  reason: 'Expectation Failed',
  code: 'expectation_failed',
  detail: 'Of all expectations only 100-continue can be met.',
};

export const NO_TUNNEL: Refusal = {
  ...MALFORMED,
  status: 405,
  reason: 'Method Not Allowed',
  code: 'method_not_allowed',
  detail: 'This is no proxy: CONNECT is not offered.',
  headers: { allow: 'GET, HEAD, POST, PUT, PATCH, DELETE' },
};

export const NOTHING_HERE: Refusal = {
  ...MALFORMED,
  status: 404,
  reason: 'Not Found',
  code: 'not_found',
  detail: 'Here are only /health/live, /health/ready and /metrics.',
};

export const STARTING: Refusal = {
  status: 503,
  reason: 'Starting',
  code: 'unavailable',
  retry: true,
  detail: 'This instance is starting. Try again in a moment.',
  headers: { 'retry-after': '1' },
};

const BROKEN: Record<string, Refusal | undefined> = {
  HPE_HEADER_OVERFLOW: {
    ...MALFORMED,
    status: 431,
    reason: 'Request Header Fields Too Large',
    code: 'too_large',
    detail: 'The headers are larger than 16 KiB together.',
  },
  ERR_HTTP_REQUEST_TIMEOUT: {
    ...MALFORMED,
    status: 408,
    reason: 'Request Timeout',
    code: 'deadline',
    retry: true,
    detail: 'The request did not arrive in time.',
  },
};

/** The refusal for what the parser of HTTP says. */
export function refusalOf(parserCode: string | undefined): Refusal {
  return BROKEN[parserCode ?? ''] ?? MALFORMED;
}

/** Answers a request with a refusal. */
export function refuse(response: ServerResponse, refusal: Refusal): void {
  const body = bodyOf(refusal, String(response.getHeader(TRACE_HEADER)));
  response
    .writeHead(refusal.status, {
      ...refusal.headers,
      'content-type': 'application/problem+json',
      'content-length': Buffer.byteLength(body),
      'cache-control': 'no-store',
    })
    .end(body);
}

/** The bytes of a refusal where there is no request to answer; the connection is over behind them. */
export function rawRefusal(refusal: Refusal, traceId: string): string {
  const body = bodyOf(refusal, traceId);
  const headers = {
    ...refusal.headers,
    'content-type': 'application/problem+json',
    'cache-control': 'no-store',
    [TRACE_HEADER]: traceId,
    connection: 'close',
    'content-length': String(Buffer.byteLength(body)),
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${refusal.status} ${refusal.reason}\r\n${lines.join('')}\r\n${body}`;
}

function bodyOf({ status, reason: title, code, retry, detail }: Refusal, traceId: string): string {
  return JSON.stringify({ type: `urn:tocsin:problem:${code}`, title, status, detail, code, retry, traceId });
}
