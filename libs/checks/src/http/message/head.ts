import { BadMessage } from './bad-message.ts';
import { ResponseHeaders } from './headers.ts';

/** The head of one answer: its status and its fields. */
export interface ResponseHead {
  status: number;
  headers: ResponseHeaders;
}

// RFC 9112, section 4; white space of any length between the words as section 3 allows, and no reason at all.
const STATUS_LINE = /^HTTP\/1\.\d[ \t]+([1-9]\d\d)(?:[ \t]|$)/;
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const [SPACE, TAB] = [0x20, 0x09];

/** @throws BadMessage when the line does not begin an answer in HTTP/1 */
export function readStatusLine(line: string): number {
  refuseNul(line);
  const match = STATUS_LINE.exec(line);
  if (match) return Number(match[1]);
  throw new BadMessage(line.startsWith('HTTP/') ? 'the status line is malformed' : 'it does not begin with HTTP/1');
}

/** Collects the fields of a head, line by line (RFC 9112, section 5). */
export class FieldReader {
  readonly headers = new ResponseHeaders();
  /** The field of the last line, which the next line may go on with: undefined before the first. */
  private name: string | undefined;
  /** Its value so far, a part for each line. */
  private parts: string[] = [];

  /**
   * Takes a line without its end.
   * @throws BadMessage when it is no field and goes on with none
   */
  line(text: string): void {
    refuseNul(text);
    const first = text.charCodeAt(0);
    if (first === SPACE || first === TAB) return this.fold(text);
    const colon = text.indexOf(':');
    if (colon < 0) throw new BadMessage('a header has no colon');
    this.end();
    // White space before the colon is taken away, as section 5.1 has proxies do, and browsers.
    this.name = trim(text.slice(0, colon)).toLowerCase();
    if (this.name === '') throw new BadMessage('a header has no name');
    this.parts = [text.slice(colon + 1)];
  }

  /** The last field is whole. */
  end(): void {
    // A name that is no token is nobody's field: browsers and curl pass it over.
    if (this.name !== undefined && TOKEN.test(this.name)) this.headers.add(this.name, fieldValue(this.parts));
  }

  /** A user agent puts spaces in place of a fold (section 5.2). */
  private fold(text: string): void {
    if (this.name === undefined) throw new BadMessage('white space stands before the first header');
    this.parts.push(text);
  }
}

/** White space around a value is none of it (section 5), and a bare CR is a space (section 2.2). */
function fieldValue(parts: readonly string[]): string {
  const text = parts.length === 1 ? parts[0]! : parts.map(trim).join(' ');
  return trim(text.includes('\r') ? text.replaceAll('\r', ' ') : text);
}

/** A text without spaces and tabs around it. `String.trim` takes too much: U+00A0 is a byte of UTF-8. */
function trim(text: string): string {
  let from = 0;
  let to = text.length;
  while (from < to && isBlank(text.charCodeAt(from))) from++;
  while (to > from && isBlank(text.charCodeAt(to - 1))) to--;
  return text.slice(from, to);
}

function isBlank(code: number): boolean {
  return code === SPACE || code === TAB;
}

/** NUL may be refused or replaced (RFC 9110, section 5.5). Curl refuses it, and no server means it. */
function refuseNul(text: string): void {
  if (text.includes('\0')) throw new BadMessage('a header holds a NUL');
}
