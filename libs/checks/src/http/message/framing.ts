import { BadMessage } from './bad-message.ts';
import type { ResponseHead } from './head.ts';

/** Where the body of an answer ends: after so many bytes, after its last chunk, or with the connection. */
export type Framing = number | 'chunked' | 'close';

/**
 * How an answer is framed (RFC 9112, section 6.3, whose rules are numbered here).
 * @throws BadMessage when its lengths are none, or contradict each other
 */
export function framingOf(method: string, { status, headers }: ResponseHead): Framing {
  const codings = transferCodings(headers.all('transfer-encoding'));
  // 3: Transfer-Encoding overrides Content-Length, which is then not looked at.
  const length = codings.length > 0 ? undefined : contentLength(headers.all('content-length'));
  // 1: these have no content, whatever length they name.
  if (method === 'HEAD' || status < 200 || status === 204 || status === 304) return 0;
  // 4: a last coding that is not chunked ends with the connection.
  if (codings.length > 0) return codings.at(-1) === 'chunked' ? 'chunked' : 'close';
  return length ?? 'close'; // 6, and 8
}

/** The names of the codings in the order of their use. */
function transferCodings(lines: readonly string[]): string[] {
  if (lines.length === 0) return [];
  const codings = lines
    .join(',')
    .split(',')
    .map((coding) => coding.replace(/^[ \t]+|[ \t]+$/g, '').toLowerCase())
    .filter((coding) => coding !== '');
  // "identity" was a word of RFC 2616 for no coding at all.
  return codings.every((coding) => coding === 'identity') ? [] : codings;
}

/** 5: several equal lengths are one, any that differ are an error. */
function contentLength(lines: readonly string[]): number | undefined {
  let length: number | undefined;
  for (const line of lines) {
    for (const part of line.split(',')) {
      const text = part.replace(/^[ \t]+|[ \t]+$/g, '');
      const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
      if (!Number.isSafeInteger(value)) throw new BadMessage('Content-Length is not a number of bytes');
      if (length !== undefined && length !== value) throw new BadMessage('two values of Content-Length differ');
      length = value;
    }
  }
  return length;
}
