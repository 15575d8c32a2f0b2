import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { redactSecrets } from './redact.ts';

const S = 'pa ss/wörd+&?"x"';

describe('what a target repeats of a secret', () => {
  it.each([
    ['as it is', S],
    ['in base64', Buffer.from(S).toString('base64')],
    ['in base64 for URLs', Buffer.from(S).toString('base64url')],
    ['in a Basic credential', Buffer.from(`user:${S}`).toString('base64')],
    ['in a Basic credential of another length', Buffer.from(`admin1:${S}`).toString('base64')],
    ['percent-encoded', encodeURIComponent(S)],
    ['percent-encoded in lower case', encodeURIComponent(S).toLowerCase()],
    ['as a form sends it', new URLSearchParams({ S }).toString().slice(2)],
    ['as JSON', JSON.stringify({ S })],
    ['as HTML', S.replaceAll('&', '&amp;').replaceAll('"', '&quot;')],
  ])('%s is taken out', (_, form) => {
    const clean = redactSecrets(`you said <${form}> to us`, [S]);
    expect(clean).toContain('********');
    expect(clean).not.toContain(form);
    expect(clean).toMatch(/^you said <.*> to us$/);
  });

  it('a secret that was cut off is taken out too', () => {
    expect(redactSecrets('received "token is 0123456…"', ['0123456789abcdef'])).toBe('received "token is ********…"');
    expect(redactSecrets('received "token is 012…"', ['0123456789abcdef'])).toBe('received "token is 012…"');
  });

  it('the lines of a key are taken out one by one, whatever joins them', () => {
    expect(redactSecrets('abcdefgh ijklmnop', ['abcdefgh\nijklmnop\n'])).toBe('********');
    expect(redactSecrets('ijklmnop', ['abcdefgh\nijklmnop\n'])).toBe('********');
  });

  it('what is too short to be a secret stays', () => {
    expect(redactSecrets('abc down', ['abc', '', undefined])).toBe('abc down');
  });

  it('never holds the secret afterwards', () => {
    const secret = fc.string({ minLength: 4, maxLength: 40 }).filter((text) => text.trim().length >= 4);
    fc.assert(
      fc.property(secret, fc.string(), fc.string(), (s, before, after) => {
        expect(redactSecrets(before + s + after, [s]).replaceAll('********', '')).not.toContain(s.trim());
      }),
    );
  });
});
