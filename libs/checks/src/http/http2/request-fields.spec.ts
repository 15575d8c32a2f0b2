import { expect, test } from 'vitest';
import { requestFields } from './request-fields.ts';

const request = {
  url: new URL('https://a.example:8443/b?c=d#e'),
  method: 'POST',
  headers: [],
  body: 'x',
  trusted: true,
};
const PSEUDO = { ':method': 'POST', ':scheme': 'https', ':authority': 'a.example:8443', ':path': '/b?c=d' };

test('the request line is made of pseudo-fields, and a Host takes the place of the address', () => {
  expect(requestFields(request, [])).toEqual(PSEUDO);
  expect(requestFields(request, ['Host', 'v.example'])).toEqual({ ...PSEUDO, ':authority': 'v.example' });
});

test('names are in lower case, and values have no white space around them', () => {
  expect(requestFields(request, ['X-A', ' b\t', 'Content-Length', '1'])).toEqual({
    ...PSEUDO,
    'x-a': 'b',
    'content-length': '1',
  });
});

test('several lines of a name become one', () => {
  const lines = ['X-A', '1', 'x-a', '2', 'Cookie', 'a=1', 'cookie', 'b=2'];
  expect(requestFields(request, lines)).toEqual({ ...PSEUDO, 'x-a': '1, 2', cookie: 'a=1; b=2' });
});

test.each(['Connection', 'Keep-Alive', 'Proxy-Connection', 'Transfer-Encoding', 'Upgrade', 'TE', 'HTTP2-Settings'])(
  '%s, which manages a connection of HTTP/1.1, is left out',
  (name) => {
    expect(requestFields(request, [name, 'x'])).toEqual(PSEUDO);
  },
);

test.each([
  ['a line break in a value', ['A', 'b\r\nc: d']],
  ['a name of a pseudo-field', [':path', '/other']],
])('%s is refused', (_, lines) => {
  expect(() => requestFields(request, lines)).toThrow(/^settings: a header/);
});
