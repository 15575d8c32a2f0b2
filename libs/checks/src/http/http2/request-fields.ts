import type { OutgoingHttpHeaders } from 'node:http2';
import { FRAMING, type HttpRequest } from '../request.ts';
import { headerFields } from '../request-message.ts';

/** Fields that manage a connection of HTTP/1.1 and have no place in HTTP/2 (RFC 9113, section 8.2.2). */
const OF_THE_CONNECTION: ReadonlySet<string> = new Set([
  ...[...FRAMING].filter((name) => name !== 'content-length'),
  'http2-settings',
  'proxy-connection',
]);

/**
 * The fields of a request in HTTP/2 (RFC 9113, section 8.3.1): what is `Host` in HTTP/1.1 is `:authority` here.
 * @param lines the header lines of HTTP/1.1, names and values in turn
 * @throws CheckFailure `settings` when one is none
 */
export function requestFields({ method, url }: HttpRequest, lines: readonly string[]): OutgoingHttpHeaders {
  const fields: Record<string, string> = {
    ':method': method,
    ':scheme': 'https',
    ':authority': url.host,
    ':path': `${url.pathname}${url.search}`,
  };
  for (const [given, untrimmed] of headerFields(lines)) {
    const lower = given.toLowerCase();
    if (OF_THE_CONNECTION.has(lower)) continue;
    const name = lower === 'host' ? ':authority' : lower;
    const value = untrimmed.replace(/^[ \t]+|[ \t]+$/g, ''); // section 8.2.1
    const before = name === ':authority' ? undefined : fields[name];
    // Several lines of a name mean what one means (RFC 9110, section 5.3); for cookies, RFC 9113, section 8.2.3.
    fields[name] = before === undefined ? value : `${before}${name === 'cookie' ? ';' : ','} ${value}`;
  }
  return fields;
}
