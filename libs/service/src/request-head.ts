import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** RFC 3986, 3.2.2 and 3.2.3, without the comma, which would make a list of it. */
const HOST = /^(?:\[[0-9a-f:.]+\]|[a-z0-9._~%!$&'()*+;=-]*)(?::\d{0,5})?$/i;
const TRACEPARENT = /^[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}/;

/** Whether a request has one Host, and one that can be a host (RFC 9112, 3.2); HTTP/1.0 needs none. */
export function hasGoodHost({ rawHeaders, headers, httpVersion }: Head): boolean {
  const hosts = rawHeaders.filter((name, n) => n % 2 === 0 && name.toLowerCase() === 'host').length;
  if (hosts === 0) return httpVersion === '1.0';
  return hosts === 1 && HOST.test(headers.host ?? '');
}

/** The trace of a request: as its `traceparent` says (W3C Trace Context), or a new one. */
export function traceIdOf({ headers }: Pick<Head, 'headers'>): string {
  return TRACEPARENT.exec(String(headers['traceparent'] ?? ''))?.[1] ?? newTraceId();
}

export function newTraceId(): string {
  return randomBytes(16).toString('hex');
}

type Head = Pick<IncomingMessage, 'rawHeaders' | 'headers' | 'httpVersion'>;
