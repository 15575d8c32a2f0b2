import { BadMessage } from './bad-message.ts';

/**
 * The size that begins a chunk (RFC 9112, section 7.1): hexadecimal digits, then white space or an extension, which means
 * nothing here.
 * @throws BadMessage when it is none, or larger than any body can be
 */
export function chunkSize(line: string): number {
  let size = 0;
  let at = 0;
  for (let digit = hex(line, at); digit >= 0; digit = hex(line, ++at)) {
    size = size * 16 + digit;
    if (size > Number.MAX_SAFE_INTEGER) throw new BadMessage('a chunk is too large');
  }
  while (line.charCodeAt(at) === 0x20 || line.charCodeAt(at) === 0x09) at++;
  if (hex(line, 0) < 0 || (at < line.length && line[at] !== ';')) throw new BadMessage('a chunk has no size');
  return size;
}

/** The value of a hexadecimal digit; negative for anything else, the end of the line too. */
function hex(line: string, at: number): number {
  const code = line.charCodeAt(at);
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}
