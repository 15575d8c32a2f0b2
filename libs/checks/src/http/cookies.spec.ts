import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cookieDate } from './cookie-date.ts';
import { CookieJar } from './cookies.ts';

const NOW = Date.UTC(2026, 10, 1);

/** What goes to `to` after `from` has answered with these lines. */
function sent(lines: string[], from: string, to = from, later = 0): string | undefined {
  const jar = new CookieJar();
  jar.take(lines, new URL(from), NOW);
  return jar.lineFor(new URL(to), NOW + later);
}

describe('a cookie goes back', () => {
  test.each([
    ['to its host', 'a=1', 'https://x.example/', 'https://x.example/'],
    ['to its host on another port and scheme', 'a=1', 'http://x.example:81/', 'https://x.example/'],
    ['to its domain', 'a=1; Domain=.X.example', 'https://x.example/', 'https://x.example/'],
    ['to a host below its domain', 'a=1; domain=example.org', 'https://www.example.org/', 'https://login.example.org/'],
    ['to an address', 'a=1; Domain=127.0.0.1', 'http://127.0.0.1/', 'http://127.0.0.1/'],
    ['to an IPv6 address', 'a=1', 'http://[::1]/', 'http://[::1]/'],
    ['to its path', 'a=1; Path=/a', 'https://x.example/', 'https://x.example/a'],
    ['below its path', 'a=1; Path=/a', 'https://x.example/', 'https://x.example/a/b'],
    ['below the folder that it came from', 'a=1', 'https://x.example/a/b', 'https://x.example/a/c'],
    ['where its path is none', 'a=1; Path=a', 'https://x.example/a/b', 'https://x.example/a/c'],
    [
      'over TLS when it is secure',
      'a=1; Secure; HttpOnly; SameSite=Strict',
      'https://x.example/',
      'https://x.example/',
    ],
    ['until it ends', 'a=1; Max-Age=60', 'https://x.example/', 'https://x.example/'],
    [
      'by Max-Age, which goes before Expires',
      'a=1; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT',
      'https://x.example/',
      'https://x.example/',
    ],
    ['when Max-Age is no number', 'a=1; Max-Age=soon', 'https://x.example/', 'https://x.example/'],
    ['with a prefix that it keeps', '__Host-a=1; Secure; Path=/', 'https://x.example/', 'https://x.example/'],
  ])('%s', (_, line, from, to) => {
    expect(sent([line], from, to, 59_000)).toMatch(/^(__Host-)?a=1$/);
  });
});

describe('a cookie does not go', () => {
  test.each([
    ['to another host', 'a=1', 'https://x.example/', 'https://y.example/'],
    ['to a host below its own', 'a=1', 'https://x.example/', 'https://www.x.example/'],
    ['to the host above', 'a=1', 'https://www.x.example/', 'https://x.example/'],
    ['to a host whose name ends alike', 'a=1; Domain=x.example', 'https://x.example/', 'https://yx.example/'],
    ['anywhere for a domain that is not its own', 'a=1; Domain=y.example', 'https://x.example/', 'https://y.example/'],
    ['anywhere for a host below', 'a=1; Domain=www.x.example', 'https://x.example/', 'https://www.x.example/'],
    ['anywhere for a top-level domain', 'a=1; Domain=example', 'https://x.example/', 'https://y.example/'],
    ["anywhere for a country's domain", 'a=1; Domain=co.uk', 'https://a.co.uk/', 'https://b.co.uk/'],
    ['to an address whose end is alike', 'a=1; Domain=0.0.1', 'http://127.0.0.1/', 'http://127.0.0.1/'],
    ['beside its path', 'a=1; Path=/a', 'https://x.example/', 'https://x.example/ab'],
    ['above its path', 'a=1', 'https://x.example/a/b', 'https://x.example/'],
    ['over plain HTTP when it is secure', 'a=1; Secure', 'https://x.example/', 'http://x.example/'],
    ['when it is secure and came over plain HTTP', 'a=1; Secure', 'http://x.example/', 'https://x.example/'],
    ['after its end', 'a=1; Max-Age=59', 'https://x.example/', 'https://x.example/'],
    ['when its end has passed', 'a=1; Expires=Thu, 01-Jan-70 00:00:01 GMT', 'https://x.example/', 'https://x.example/'],
    ['when Max-Age is negative', 'a=1; Max-Age=-1', 'https://x.example/', 'https://x.example/'],
    [
      'with a prefix that it does not keep',
      '__Host-a=1; Secure; Path=/; Domain=x.example',
      'https://x.example/',
      'https://x.example/',
    ],
    ['with the other prefix', '__Secure-a=1', 'https://x.example/', 'https://x.example/'],
    ['without a name and a value', '; Path=/', 'https://x.example/', 'https://x.example/'],
    ['with a control character', 'a=1\u0001', 'https://x.example/', 'https://x.example/'],
    ['when it is too long', `a=${'x'.repeat(4_096)}`, 'https://x.example/', 'https://x.example/'],
  ])('%s', (_, line, from, to) => {
    expect(sent([line], from, to, 59_000)).toBeUndefined();
  });
});

test('the last one of a name, domain and path counts, and one that has ended deletes it', () => {
  const at = 'https://x.example/a/b';
  expect(sent(['a=1', 'b=2', 'a=3', 'a=4; Path=/', '=5', '6'], at)).toBe('a=3; b=2; 6; a=4');
  expect(sent(['a=1', 'a=; Max-Age=0'], at)).toBeUndefined();
  expect(sent(['a=1', 'a=; Path=/; Max-Age=0'], at)).toBe('a=1');
});

test('a jar holds so many, and sends so much', () => {
  const many = Array.from({ length: 200 }, (_, i) => `n${i}=${'x'.repeat(1_000)}`);
  const line = sent(many, 'https://x.example/')!;
  expect(line.length).toBeLessThanOrEqual(8_192);
  expect(line.split('; ')).toHaveLength(8);
  expect(
    sent(
      Array.from({ length: 200 }, (_, i) => `n${i}=`),
      'https://x.example/',
    )!.split('; '),
  ).toHaveLength(50);
});

test('whatever an answer sets, what is sent is one line of Latin-1', () => {
  const line = fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)) });
  fc.assert(
    fc.property(
      fc.array(
        fc.oneof(
          line,
          line.map((text) => `a=${text}`),
        ),
      ),
      (lines) => {
        const cookies = sent(lines, 'https://x.example/a/b');
        expect(cookies ?? '').toMatch(/^[\t\x20-\x7e\x80-\xff]*$/);
      },
    ),
  );
});

test.each([
  ['Wed, 21 Oct 2015 07:28:00 GMT', '2015-10-21T07:28:00.000Z'],
  ['Wed, 21-Oct-15 07:28:00 GMT', '2015-10-21T07:28:00.000Z'],
  ['Wed Oct 21 07:28:00 2015', '2015-10-21T07:28:00.000Z'],
  ['1 january 1999 0:0:0', '1999-01-01T00:00:00.000Z'],
])('%s is a time', (text, iso) => {
  expect(new Date(cookieDate(text)!).toISOString()).toBe(iso);
});

test.each(['', 'never', '21 Oct 2015', '32 Oct 2015 07:28:00', '21 Oct 2015 25:00:00', '21 Oct 1600 07:28:00'])(
  '"%s" is none',
  (text) => {
    expect(cookieDate(text)).toBeUndefined();
  },
);
