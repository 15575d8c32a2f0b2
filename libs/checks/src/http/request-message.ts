import { CheckFailure } from '../failure.ts';
import type { HttpRequest } from './request.ts';

const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const NOT_IN_VALUE = /[^\t\x20-\x7e\x80-\xff]/;

/**
 * The head of a request as it goes over the connection (RFC 9112, section 3), in Latin-1.
 * @param lines names and values in turn
 * @throws CheckFailure `settings` when one would become another line
 */
export function requestHead({ method, url }: HttpRequest, lines: readonly string[]): string {
  let head = `${method} ${url.pathname}${url.search} HTTP/1.1\r\n`;
  for (const [name, value] of headerFields(lines)) head += `${name}: ${value}\r\n`;
  return `${head}\r\n`;
}

/**
 * Header lines as pairs.
 * @param lines names and values in turn
 * @throws CheckFailure `settings` when one would become another line
 */
export function* headerFields(lines: readonly string[]): Generator<[name: string, value: string]> {
  for (let i = 0; i < lines.length; i += 2) {
    const [name, value] = [lines[i]!, lines[i + 1]!];
    if (!NAME.test(name)) throw new CheckFailure('settings', 'settings: a header has a name that is none');
    if (NOT_IN_VALUE.test(value)) {
      throw new CheckFailure('settings', 'settings: a header value holds a line break or a control character');
    }
    yield [name, value];
  }
}
