/** More interim answers than this before the real one are no answer. */
export const MOST_INTERIM = 20;

const STATUS_LINE = /^HTTP\/1\.[01] ([1-9]\d\d)(?: [^\r\n]*)?\r?\n/;
const END_OF_HEAD = /\r?\n\r?\n/;

/** The head of an answer, and where its body begins. */
export interface FinalHead {
  status: number;
  /** By their names in lower case; of several with one name, the first. What is no header is left out. */
  headers: Map<string, string>;
  bodyAt: number;
}

/**
 * The head of an answer once it is whole, whatever else is odd about its headers and its body: for a delivery the status
 * line is the answer. Interim answers (RFC 9110, 15.2) are passed over, up to {@link MOST_INTERIM}. Undefined for what is
 * no answer, or none yet.
 * @param text what came, byte for byte as Latin-1
 */
export function finalHead(text: string): FinalHead | undefined {
  let at = 0;
  for (let interim = 0; interim <= MOST_INTERIM; interim += 1) {
    const rest = text.slice(at);
    const line = STATUS_LINE.exec(rest);
    const status = Number(line?.[1] ?? 0);
    const end = END_OF_HEAD.exec(rest);
    if (!line || status === 101 || !end) return undefined;
    at += end.index + end[0].length;
    if (status >= 200) return { status, headers: headersOf(rest.slice(line[0].length, end.index)), bodyAt: at };
  }
  return undefined;
}

function headersOf(block: string): Map<string, string> {
  const headers = new Map<string, string>();
  for (const line of block.replace(/\r?\n[ \t]+/g, ' ').split('\n')) {
    const [name = '', ...value] = line.split(':');
    const key = name.trim().toLowerCase();
    if (value.length > 0 && !headers.has(key)) headers.set(key, value.join(':').trim());
  }
  return headers;
}

/** What of a chunked body (RFC 9112, 7.1) has come, as far as it can be read. */
export function unchunked(text: string): string {
  let body = '';
  let rest = text;
  for (let size = /^([0-9a-f]{1,6})[^\n]*\n/i.exec(rest); size; size = /^([0-9a-f]{1,6})[^\n]*\n/i.exec(rest)) {
    const length = Number.parseInt(size[1]!, 16);
    if (length === 0) break;
    body += rest.slice(size[0].length, size[0].length + length);
    rest = rest.slice(size[0].length + length).replace(/^\r?\n/, '');
  }
  return body;
}
