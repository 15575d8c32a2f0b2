/** What a header can carry (RFC 9110, section 5.5): tab, visible ASCII, space, and bytes beyond ASCII, sent as Latin-1. */
const CARRIED = /^[\t\x20-\x7e\x80-\xff]*$/;

/** What is wrong with a header's value, in words; undefined when a header can carry it. */
export function headerProblem(value: string): string | undefined {
  if (CARRIED.test(value)) return undefined;
  const bad = Array.from(value).find((char) => !CARRIED.test(char))!;
  const code = bad.codePointAt(0)!;
  if (bad === '\r' || bad === '\n') return 'must not contain line breaks';
  if (code < 0x20 || code === 0x7f) return `must not contain control characters (U+${hex(code)})`;
  return `holds "${bad}" (U+${hex(code)}), which a header can not carry: it takes Latin-1 alone`;
}

/** The same of a credential in a header, which begins and ends where it is visible. */
export function credentialProblem(value: string): string | undefined {
  return value === value.trim() ? headerProblem(value) : 'must not begin or end with white space';
}

/** What is wrong with a password of Basic authentication (RFC 7617, section 2). */
export function basicProblem(value: string): string | undefined {
  // oxlint-disable-next-line no-control-regex -- control characters are what it looks for
  return /[\u0000-\u001f\u007f]/.test(value) ? 'must not contain line breaks or control characters' : undefined;
}

function hex(code: number): string {
  return code.toString(16).toUpperCase().padStart(4, '0');
}
