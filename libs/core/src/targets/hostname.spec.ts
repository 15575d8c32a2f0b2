import { describe, expect, it } from 'vitest';
import { asciiHost } from './hostname.ts';

describe('a host as it is asked for', () => {
  it.each([
    ['example.org', 'example.org'],
    ['example.org.', 'example.org.'],
    ['_sip._tcp.example', '_sip._tcp.example'],
    ['localhost', 'localhost'],
    ['127.0.0.1', '127.0.0.1'],
    ['::1', '::1'],
    ['2001:db8::1', '2001:db8::1'],
    ['bücher.example', 'xn--bcher-kva.example'],
    ['BÜCHER.example', 'xn--bcher-kva.example'],
    ['bücher。example', 'xn--bcher-kva.example'],
    ['straße.de', 'xn--strae-oqa.de'],
    ['例え.テスト', 'xn--r8jz45g.xn--zckzah'],
    ['xn--bcher-kva.example', 'xn--bcher-kva.example'],
  ])('%s is %s', (host, ascii) => {
    expect(asciiHost(host)).toBe(ascii);
  });

  it.each([
    ':::',
    '::1::',
    '1:2',
    '',
    '.',
    'a..b',
    '-a.b',
    'a b',
    'a/b',
    'a@b',
    'bü cher.example',
    'a'.repeat(64),
    `${'a.'.repeat(130)}a`,
    'ü'.repeat(70),
  ])('%s is none', (host) => {
    expect(asciiHost(host)).toBeUndefined();
  });
});
