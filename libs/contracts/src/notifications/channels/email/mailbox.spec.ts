import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isMailAddress, mailAddress, mailbox, parseMailbox } from './mailbox.ts';

describe('a mail address', () => {
  it.each([
    'root@localhost',
    'ops@example.org',
    'ops+tocsin@example.org',
    "o'brien@example.org",
    'a.b-c_d!#$%&*/=?^`{|}~@example.org',
    'docomo..user.@example.org',
    'müller@example.org',
    'ops@bücher.example',
    '用户@例子.广告',
    'a@xn--bcher-kva.example',
    'a@mail_host.internal',
    'a@[192.0.2.1]',
    'a@[IPv6:2001:db8::1]',
    `${'x'.repeat(64)}@${'y'.repeat(63)}.example`,
  ])('%s is taken', (address) => {
    expect(mailAddress.safeParse(address).success).toBe(true);
  });

  it.each([
    '',
    '@example.org',
    'ops',
    'ops@',
    'a b@example.org',
    'a@b@example.org',
    'a@example.org ',
    ' a@example.org',
    'a@example.org\r\nBcc: b@example.org',
    'a@exam\tple.org',
    'a\u0000@example.org',
    'a\u00a0b@example.org',
    'a\u200b@example.org',
    'a@example..org',
    'a@.example.org',
    'a@example.org.',
    'a@example.org,b@example.org',
    'a@example.org;b@example.org',
    '<a@example.org>',
    'a<b>@example.org',
    'Ops <a@example.org>',
    '"a b"@example.org',
    'a(b)@example.org',
    'a@[evil]',
    'a@exa/mple.org',
    'a@example.org:25',
    '\ud800@example.org',
    `${'x'.repeat(65)}@example.org`,
    `a@${'y'.repeat(64)}.example`,
    `a@${'y.'.repeat(130)}org`,
  ])('%j is refused', (address) => {
    expect(mailAddress.safeParse(address).success).toBe(false);
  });

  it('has one @ and nothing that ends a header, a command or a list, whatever is taken', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 20 }),
        fc.constantFrom('x.org', 'localhost'),
        (local, host) => {
          const address = `${local}@${host}`;
          if (!isMailAddress(address)) return;
          expect(address).not.toMatch(/[\s\p{Cc}<>,;"\\]/u);
          expect(address.split('@')).toHaveLength(2);
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('a mailbox', () => {
  it.each([
    ['t@example.org', { address: 't@example.org' }],
    ['Tocsin <t@example.org>', { name: 'Tocsin', address: 't@example.org' }],
    ['Tocsin<t@example.org>', { name: 'Tocsin', address: 't@example.org' }],
    ['<t@example.org>', { address: 't@example.org' }],
    ['  <t@example.org>', { address: 't@example.org' }],
    ['"Ops, Berlin" <t@example.org>', { name: 'Ops, Berlin', address: 't@example.org' }],
    [String.raw`"say \"hi\" \\o/" <t@example.org>`, { name: String.raw`say "hi" \o/`, address: 't@example.org' }],
    ['Wächter Nr. 1 <root@localhost>', { name: 'Wächter Nr. 1', address: 'root@localhost' }],
    ['"" <t@example.org>', { address: 't@example.org' }],
  ])('%s is read', (text, expected) => {
    expect(parseMailbox(text)).toEqual(expected);
  });

  it.each([
    'Tocsin',
    'Tocsin t@example.org',
    'Tocsin <t@example.org',
    'Tocsin <t@example.org> x',
    'a@b.example, Tocsin <t@example.org>',
    'a, b <t@example.org>',
    'Group: Tocsin <t@example.org>',
    'x" <t@example.org>',
    '"x <t@example.org>',
    'x <y> <t@example.org>',
    'Tocsin\r\nBcc: all@example.org <t@example.org>',
    '"Tocsin\nx" <t@example.org>',
    'Tocsin\u2028x <t@example.org>',
    `${'x'.repeat(400)} <t@example.org>`,
  ])('%j is refused', (text) => {
    expect(mailbox.safeParse(text).success).toBe(false);
  });

  it('gives back any name that was quoted', () => {
    const name = fc.string({ maxLength: 60 }).map((text) => text.trim());
    fc.assert(
      fc.property(name, (given) => {
        const quoted = `"${given.replace(/["\\]/g, String.raw`\$&`)}" <t@example.org>`;
        expect(parseMailbox(quoted)?.name ?? '').toBe(given);
      }),
    );
  });
});
