import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BadMessage } from './bad-message.ts';
import type { ResponseHeaders } from './headers.ts';
import { type Reading, ResponseReader } from './response-reader.ts';

interface Read {
  status?: number;
  headers?: ResponseHeaders;
  body: string;
  /** What ended it: `whole`, `cut short`, or the rule that was broken. */
  ending: string;
}

/** Reads these pieces, after which the connection ends. */
function read(pieces: readonly Buffer[], method = 'GET', wanted = true, strict = true): Read {
  const result: Read = { body: '', ending: '' };
  const on: Reading = {
    head({ status, headers }) {
      Object.assign(result, { status, headers });
      return wanted;
    },
    body(part) {
      expect(part.length).toBeGreaterThan(0);
      result.body += part.toString('latin1');
    },
  };
  const reader = new ResponseReader(method, on, strict);
  try {
    const over = pieces.some((piece) => reader.push(piece));
    result.ending = over || reader.endsWithConnection ? 'whole' : 'cut short';
  } catch (error) {
    if (!(error instanceof BadMessage)) throw error;
    result.ending = error.message;
  }
  return result;
}

function answer(text: string, method = 'GET'): Read {
  return read([Buffer.from(text, 'latin1')], method);
}

const OK = 'HTTP/1.1 200 OK\r\n';
const CHUNKED = `${OK}Transfer-Encoding: chunked\r\n\r\n`;

describe('what is read', () => {
  test.each([
    ['a length', `${OK}Content-Length: 5\r\n\r\nhello`, 'hello'],
    ['bytes after the length', `${OK}Content-Length: 5\r\n\r\nhello world`, 'hello'],
    ['another answer after the length', `${OK}Content-Length: 5\r\n\r\nhello${OK}\r\n`, 'hello'],
    ['no length', `${OK}\r\nhello`, 'hello'],
    ['lines that end in LF', 'HTTP/1.1 200 OK\nContent-Length: 5\n\nhello', 'hello'],
    ['lines that end either way', 'HTTP/1.1 200 OK\r\nA: b\nContent-Length: 5\n\r\nhello', 'hello'],
    ['chunks', `${CHUNKED}5\r\nhello\r\n6; a=b\r\n world\r\n0\r\n\r\n`, 'hello world'],
    ['chunks with LF, blanks and upper case', `${CHUNKED}A  \nhello worl\n01\t;x\nd\n000\n\n`, 'hello world'],
    ['chunks with a trailer', `${CHUNKED}5\r\nhello\r\n0\r\nX-Sum: 1\r\nno field\r\n\r\n`, 'hello'],
    ['bytes after the last chunk', `${CHUNKED}5\r\nhello\r\n0\r\n\r\nworld`, 'hello'],
    [
      'chunks and a length',
      `${OK}Content-Length: 2\r\nTransfer-Encoding: Chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n`,
      'hello',
    ],
    [
      'a coding and chunks',
      `${OK}Transfer-Encoding: foo\r\nTransfer-Encoding: , chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n`,
      'x',
    ],
    ['chunks under another coding', `${OK}Transfer-Encoding: chunked, foo\r\nContent-Length: 1\r\n\r\nhello`, 'hello'],
    ['the coding identity', `${OK}Transfer-Encoding: identity\r\nContent-Length: 5\r\n\r\nhello!`, 'hello'],
    ['equal lengths', `${OK}Content-Length: 5, 5\r\nContent-Length: 05\r\n\r\nhello!`, 'hello'],
    ['a length of none', `${OK}Content-Length: 0\r\n\r\nhello`, ''],
    ['no content', 'HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello', ''],
    ['not modified', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 5000000\r\n\r\n', ''],
    ['not modified in chunks', 'HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n', ''],
    ['no reason', 'HTTP/1.1 200\r\nContent-Length: 5\r\n\r\nhello', 'hello'],
    ['a space and no reason', 'HTTP/1.1 200 \nContent-Length: 5\n\nhello', 'hello'],
    ['more than one space', 'HTTP/1.0  200  fine \xe9\x01\r\nContent-Length: 5\r\n\r\nhello', 'hello'],
    ['one empty line before', `\r\n${OK}Content-Length: 5\r\n\r\nhello`, 'hello'],
    ['interim answers', `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 \r\nLink: x\r\n\r\n${OK}\r\nhello`, 'hello'],
  ])('%s', (_, text, body) => {
    expect(answer(text)).toMatchObject({ body, ending: 'whole' });
  });

  test('an answer to HEAD ends with its head, whatever comes', () => {
    expect(answer(`${OK}Content-Length: 5\r\n\r\nhello`, 'HEAD')).toMatchObject({ body: '', ending: 'whole' });
    expect(answer(`${CHUNKED}zz`, 'HEAD')).toMatchObject({ body: '', ending: 'whole' });
  });

  test('an answer ends with its head where nobody wants its body', () => {
    expect(read([Buffer.from(`${CHUNKED}zz`)], 'GET', false)).toMatchObject({ status: 200, ending: 'whole' });
  });

  test.each([
    ['a fold', 'A: first\r\n second\r\n\t third \r\n', 'first second third'],
    ['an empty fold', 'A: first\r\n \r\n', 'first'],
    ['a fold of an empty value', 'A:\r\n first\r\n', 'first'],
    ['control characters', 'A: a\x01\x7fb\r\n', 'a\x01\x7fb'],
    ['bytes beyond ASCII, U+00A0 at the ends among them', 'A: \xa0caf\xc3\xa9\xa0 \r\n', '\xa0caf\xc3\xa9\xa0'],
    ['a bare CR', 'A: a\rb\r\r\n', 'a b'],
    ['white space before the colon', 'A \t: b\r\n', 'b'],
    ['no white space at all', 'A:b\r\n', 'b'],
    ['a name in upper case, and another that is no token', 'X Y: 1\r\n(x): 2\r\nA: 3\r\nA: 4\r\n', '3, 4'],
  ])('%s of a header', (_, lines, value) => {
    const { headers, ending } = answer(`${OK}${lines}Content-Length: 0\r\n\r\n`);
    expect(ending).toBe('whole');
    expect(headers!.get('a')).toBe(value);
  });

  test('names that every object has are no headers', () => {
    const { headers } = answer(`${OK}Content-Length: 0\r\n\r\n`);
    for (const name of ['constructor', '__proto__', 'toString', 'hasownproperty']) {
      expect(headers!.get(name)).toBeUndefined();
    }
    expect(answer(`${OK}__proto__: x\r\nContent-Length: 0\r\n\r\n`).headers!.get('__proto__')).toBe('x');
  });
});

describe('what is refused', () => {
  const BAD_LENGTH = 'Content-Length is not a number of bytes';
  test.each([
    ['another protocol', '220 mail.example ESMTP\r\n', 'it does not begin with HTTP/1'],
    ['HTTP/0.9', '<html>hello</html>\n', 'it does not begin with HTTP/1'],
    ['HTTP/2 as text', 'HTTP/2.0 200 OK\r\n\r\n', 'the status line is malformed'],
    ['a lower-case protocol', 'http/1.1 200 OK\r\n\r\n', 'it does not begin with HTTP/1'],
    ['a status of letters', 'HTTP/1.1 20x OK\r\n\r\n', 'the status line is malformed'],
    ['a status of two digits', 'HTTP/1.1 20 OK\r\n\r\n', 'the status line is malformed'],
    ['a status of four digits', 'HTTP/1.1 2000 OK\r\n\r\n', 'the status line is malformed'],
    ['a status below 100', 'HTTP/1.1 099 OK\r\n\r\n', 'the status line is malformed'],
    ['a status without a space', 'HTTP/1.1200 OK\r\n\r\n', 'the status line is malformed'],
    ['two empty lines before', `\r\n\r\n${OK}\r\n`, 'it does not begin with HTTP/1'],
    ['a header without a colon', `${OK}hello\r\n\r\n`, 'a header has no colon'],
    ['a header without a name', `${OK}: value\r\n\r\n`, 'a header has no name'],
    ['a header of blanks before the colon', `${OK}A: b\r\nB: c\r\n \r\n:\r\n\r\n`, 'a header has no name'],
    ['a fold of nothing', `${OK} A: b\r\n\r\n`, 'white space stands before the first header'],
    ['NUL in a value', `${OK}A: b\0\r\n\r\n`, 'a header holds a NUL'],
    ['NUL in a name', `${OK}A\0: b\r\n\r\n`, 'a header holds a NUL'],
    ['NUL in the reason', 'HTTP/1.1 200 O\0K\r\n\r\n', 'a header holds a NUL'],
    [
      'lengths that differ',
      `${OK}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello`,
      'two values of Content-Length differ',
    ],
    ['a list of lengths that differ', `${OK}Content-Length: 5, 6\r\n\r\nhello`, 'two values of Content-Length differ'],
    [
      'lengths that differ by a blank',
      `${OK}Content-Length: 5\r\nContent-Length : 6\r\n\r\nhello`,
      'two values of Content-Length differ',
    ],
    [
      'lengths that differ in a 304',
      'HTTP/1.1 304 x\r\nContent-Length: 5, 6\r\n\r\n',
      'two values of Content-Length differ',
    ],
    ['a negative length', `${OK}Content-Length: -1\r\n\r\n`, BAD_LENGTH],
    ['a length with a sign', `${OK}Content-Length: +5\r\n\r\nhello`, BAD_LENGTH],
    ['a hexadecimal length', `${OK}Content-Length: 0x5\r\n\r\nhello`, BAD_LENGTH],
    ['a length with a point', `${OK}Content-Length: 5.0\r\n\r\nhello`, BAD_LENGTH],
    ['a length over two lines', `${OK}Content-Length: 5\r\n 0\r\n\r\nhello`, BAD_LENGTH],
    ['an empty length', `${OK}Content-Length:\r\n\r\nhello`, BAD_LENGTH],
    ['a length beyond all numbers', `${OK}Content-Length: 99999999999999999999\r\n\r\n`, BAD_LENGTH],
    [
      'a change of protocol',
      'HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n',
      '101 switches protocols, which nobody asked for',
    ],
    ['a chunk size of letters', `${CHUNKED}zz\r\nxx`, 'a chunk has no size'],
    ['an empty chunk size', `${CHUNKED}\r\nhello`, 'a chunk has no size'],
    ['a negative chunk size', `${CHUNKED}-5\r\nhello\r\n`, 'a chunk has no size'],
    ['a chunk size with 0x', `${CHUNKED}0x5\r\nhello\r\n`, 'a chunk has no size'],
    ['a chunk size after a blank', `${CHUNKED} 5\r\nhello\r\n`, 'a chunk has no size'],
    ['a chunk size with more behind it', `${CHUNKED}5 5\r\nhello\r\n`, 'a chunk has no size'],
    ['a chunk size beyond all numbers', `${CHUNKED}fffffffffffffffff\r\n`, 'a chunk is too large'],
    ['a chunk that is longer than its size', `${CHUNKED}4\r\nhello\r\n0\r\n\r\n`, 'a chunk is longer than its size'],
  ])('%s', (_, text, rule) => {
    expect(answer(text).ending).toBe(rule);
  });

  test.each([
    ['nothing', ''],
    ['half a status line', 'HTTP/1.1 2'],
    ['a head without an end', `${OK}A: b\r\n`],
    ['an interim answer alone', 'HTTP/1.1 100 Continue\r\n\r\n'],
    ['too few bytes', `${OK}Content-Length: 6\r\n\r\nhello`],
    ['half a chunk', `${CHUNKED}6\r\nhello`],
    ['no last chunk', `${CHUNKED}5\r\nhello\r\n`],
    ['no end after the last chunk', `${CHUNKED}5\r\nhello\r\n0\r\n`],
    ['half a size', `${CHUNKED}0`],
  ])('%s is cut short', (_, text) => {
    expect(answer(text).ending).toBe('cut short');
  });
});

describe('a reader for whom the status is the answer', () => {
  const lenient = (text: string): Read => read([Buffer.from(text, 'latin1')], 'POST', true, false);

  test.each([
    ['a length that is no number', `${OK}Content-Length: many\r\n\r\nhello`],
    ['two lengths', `${OK}Content-Length: 1\r\nContent-Length: 2\r\n\r\nhello`],
    ['a header without a colon', `${OK}nonsense\r\n\r\nhello`],
    ['NUL in a value', `${OK}A: b\0\r\n\r\nhello`],
    ['white space before the first header', `${OK} A: b\r\n\r\nhello`],
  ])('takes %s, and then reads on to the end of the connection', (_, text) => {
    expect(lenient(text)).toMatchObject({ status: 200, body: 'hello', ending: 'whole' });
  });

  test('reads the headers beside those that are none', () => {
    const { headers } = lenient('HTTP/1.1 503 x\r\nRetry-After: 7\r\nodd\r\nX-A: b\r\n  c\r\n\r\n');
    expect([headers!.get('retry-after'), headers!.get('x-a')]).toEqual(['7', 'b c']);
  });

  test.each([
    ['another protocol', 'ICY 200 OK\r\n\r\n', 'it does not begin with HTTP/1'],
    ['a status of four digits', 'HTTP/1.1 2000 OK\r\n\r\n', 'the status line is malformed'],
    ['101', 'HTTP/1.1 101 x\r\n\r\n', '101 switches protocols, which nobody asked for'],
    ['a head that breaks off', `${OK}Content-Type: text`, 'cut short'],
    ['a head without end', `${OK}${'odd\r\n'.repeat(20_000)}`, 'the headers are larger than 64 KiB'],
  ])('refuses %s', (_, text, ending) => {
    expect(lenient(text).ending).toBe(ending);
  });
});

describe('bounds', () => {
  const many = (line: string, times: number): string => line.repeat(times);
  test.each([
    [
      'a head of 64 KiB',
      `${OK}A: ${many('a', 65_493)}\r\nContent-Length: 0\r\n\r\n`.replace('Content-Length: 0', 'Content-Length:0'),
      'whole',
    ],
    ['a head without end', `${OK}${many('A: b\r\n', 20_000)}`, 'the headers are larger than 64 KiB'],
    ['a line without end', `${OK}${many('a', 70_000)}`, 'the headers are larger than 64 KiB'],
    ['a status line without end', `HTTP/1.1 200 ${many('a', 70_000)}`, 'the headers are larger than 64 KiB'],
    ['a fold without end', `${OK}A: b\r\n${many(' c\n', 30_000)}`, 'the headers are larger than 64 KiB'],
    ['64 interim answers', `${many('HTTP/1.1 102 x\r\n\r\n', 64)}${OK}\r\n`, 'whole'],
    ['interim answers without end', many('HTTP/1.1 102 x\r\n\r\n', 65), 'more than 64 interim answers'],
    [
      'a chunk extension without end',
      `${CHUNKED}5;${many('a', 300_000)}`,
      'the chunks take more than 256 KiB beside what is in them',
    ],
    [
      'a trailer without end',
      `${CHUNKED}0\r\n${many('A: b\r\n', 60_000)}`,
      'the chunks take more than 256 KiB beside what is in them',
    ],
    [
      'a size of zeros without end',
      `${CHUNKED}${many('0', 300_000)}`,
      'the chunks take more than 256 KiB beside what is in them',
    ],
    [
      'chunks of one byte without end',
      `${CHUNKED}${many('1\r\nx\r\n', 70_000)}`,
      'the chunks take more than 256 KiB beside what is in them',
    ],
    ['chunks of ten bytes', `${CHUNKED}${many('a\r\n0123456789\r\n', 100_000)}0\r\n\r\n`, 'whole'],
  ])('%s', (_, text, ending) => {
    expect(answer(text).ending).toBe(ending);
  });

  test('the worst of them take no more than linear time', () => {
    const pieces = Array.from(Buffer.from(`${OK}A: b\r\n${many(' c\n', 21_000)}`), (byte) => Buffer.of(byte));
    const since = performance.now();
    read(pieces);
    expect(performance.now() - since).toBeLessThan(1_000); // squared, it takes minutes
  });
});

const lines = fc.constantFrom(
  'Content-Length: 5',
  'Content-Length: 6',
  'Content-Length: x',
  'Transfer-Encoding: chunked',
  'Transfer-Encoding: gzip',
  'A: b',
  ' fold',
  'no colon',
  ': none',
  'A\u0001 : \u00e9',
  'NUL: \0',
  '',
);
const starts = fc.constantFrom(
  'HTTP/1.1 200 OK',
  'HTTP/1.0 304',
  'HTTP/1.1 100 Continue',
  'HTTP/1.1 101 x',
  'HTTP/1.1 2',
  '',
);
const eol = fc.constantFrom('\r\n', '\n', '\r', '\r\r\n');
const bodies = fc.constantFrom(
  'hello',
  'hello world',
  '5\r\nhello\r\n0\r\n\r\n',
  '5;x\nhello\n0\nT: 1\n\n',
  '6\r\nhello\r\n',
  '0\r\n',
  'HTTP/1.1 200 OK\r\n\r\n',
  '',
);
const messages = fc
  .tuple(starts, fc.array(lines, { maxLength: 4 }), fc.array(eol, { minLength: 7, maxLength: 7 }), bodies, fc.boolean())
  .map(([start, fields, ends, body, interim]) => {
    const head = [start, ...fields, ''].map((line, i) => line + ends[i]!).join('');
    return Buffer.from(`${interim ? 'HTTP/1.1 103 x\n\n' : ''}${head}${body}`, 'latin1');
  });

test('the same bytes give the same answer however they are cut', () => {
  fc.assert(
    fc.property(
      messages,
      fc.array(fc.nat(120), { maxLength: 8 }),
      fc.constantFrom('GET', 'HEAD'),
      (bytes, cuts, method) => {
        const at = [0, ...cuts.map((cut) => Math.min(cut, bytes.length)).toSorted((a, b) => a - b), bytes.length];
        const cut = at.slice(1).map((to, i) => bytes.subarray(at[i], to));
        const whole = read([bytes], method);
        expect(read(cut, method)).toEqual(whole);
        expect(
          read(
            Array.from(bytes, (byte) => Buffer.of(byte)),
            method,
          ),
        ).toEqual(whole);
      },
    ),
    { numRuns: 2_000 },
  );
});
