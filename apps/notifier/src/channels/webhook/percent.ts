/**
 * Percent-decodes as the URL standard does (WHATWG, "percent-decode"): what is no `%` and two hex digits stays as it
 * stands, so it never fails, and the bytes need not be UTF-8.
 */
export function percentDecode(text: string): Buffer {
  const parts = text.split(/(%[0-9a-f]{2})/i);
  return Buffer.concat(parts.map((part, n) => (n % 2 === 1 ? Buffer.from(part.slice(1), 'hex') : Buffer.from(part))));
}
