import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cleanAnswer, reasonOf } from './answer.ts';
import { mailText } from './email/email.message.ts';
import { percentDecode } from './webhook/percent.ts';
import { retryAfterMs } from './retry-after.ts';
import { signatureOf } from './webhook/signature.ts';

describe('the signature of a webhook', () => {
  it('covers the time and the body, and changes with either', () => {
    const v1 = createHmac('sha256', 'key').update('12.{"a":1}').digest('hex');
    expect(signatureOf('key', '{"a":1}', 12_345)).toBe(`t=12,v1=${v1}`);
    expect(signatureOf('key', '{"a":1}', 13_345)).not.toContain(v1);
    expect(signatureOf('key', '{"a":2}', 12_345)).not.toContain(v1);
  });
});

describe('Retry-After', () => {
  const now = Date.parse('Sun, 06 Nov 1994 08:49:00 GMT');
  it.each([
    ['7', 7_000],
    [' 0 ', 0],
    ['Sun, 06 Nov 1994 08:49:37 GMT', 37_000],
    ['Sun, 06 Nov 1994 08:00:00 GMT', 0],
    ['soon', undefined],
    ['-5', undefined],
    ['1.5', undefined],
    ['', undefined],
    [undefined, undefined],
  ])('%j asks to wait %j ms', (header, expected) => {
    expect(retryAfterMs(header, now)).toBe(expected);
  });
});

describe('an answer', () => {
  it('is kept without our secrets, control characters and more than its bound', () => {
    expect(cleanAnswer('you sent\r\n s3cret!\u0007', ['s3cret', undefined, ''])).toBe('you sent ********!');
    expect(cleanAnswer(`you sent ${Buffer.from('s3cret!').toString('base64')}`, ['s3cret!'])).not.toMatch(/czNj/);
    expect(cleanAnswer('x'.repeat(9_999), [])).toHaveLength(4_000);
    expect(cleanAnswer('😀'.repeat(2_500), []).isWellFormed()).toBe(true);
  });

  it('that did not come is the reason at the bottom', () => {
    const refused = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:9'), { code: 'ECONNREFUSED' });
    expect(reasonOf(new Error('fetch failed', { cause: refused }))).toBe('connect ECONNREFUSED 127.0.0.1:9');
    expect(reasonOf(new AggregateError([refused], 'all failed'))).toBe('connect ECONNREFUSED 127.0.0.1:9');
  });
});

describe('percent-decoding', () => {
  it.each([
    ['50%off', '50%off'],
    ['%', '%'],
    ['a%4', 'a%4'],
    ['%41%62', 'Ab'],
    ['%25', '%'],
    ['ü%C3%BC', 'üü'],
  ])('of %s gives %s', (text, expected) => {
    expect(percentDecode(text).toString('utf8')).toBe(expected);
  });

  it('gives bytes that are no UTF-8 as they are, and never fails', () => {
    expect(percentDecode('p%FFw%00')).toEqual(Buffer.from([0x70, 0xff, 0x77, 0]));
    const anything = fc.array(
      fc.oneof(
        fc.constant('%'),
        fc.nat(0xffff).map((code) => String.fromCharCode(code)),
      ),
    );
    fc.assert(
      fc.property(anything, (characters) => {
        expect(percentDecode(characters.join(''))).toBeInstanceOf(Buffer);
      }),
    );
  });

  it('undoes what was percent-encoded', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(percentDecode(encodeURIComponent(text)).toString('utf8')).toBe(text);
      }),
    );
  });
});

describe('a mail', () => {
  const event = {
    incidentId: 'i',
    monitorId: 'm',
    monitorName: '<script>alert(1)</script>\r\nBcc: all@example.org',
    transition: 'opened' as const,
    state: 'down' as const,
    reason: 'status',
    message: 'status 503 & more',
    at: 0,
    openedAt: 0,
    channels: [],
  };
  const mail = mailText({
    id: 'n',
    channelId: 'c',
    channelName: 'ops',
    kind: 'opened',
    step: 0,
    status: 'sending',
    attempts: 1,
    to: 'x',
    trace: {},
    createdAt: 0,
    event,
  });

  it('has a subject of one line, whatever the monitor is called', () => {
    expect(mail.subject).toBe('[down] <script>alert(1)</script> Bcc: all@example.org: status 503 & more');
  });

  it('escapes what it shows as HTML, and shows it plainly as text', () => {
    expect(mail.html).not.toContain('<script>');
    expect(mail.html).toContain('status 503 &#38; more');
    expect(mail.text).toContain('Reason: status 503 & more');
  });
});
