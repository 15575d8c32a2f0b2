import { describe, expect, test } from 'vitest';
import { bytes, clean, milliseconds, quote, span } from './message-text.ts';

describe('words for a person', () => {
  test('sizes, times and spans are short', () => {
    expect([bytes(1), bytes(1000), bytes(65_536), bytes(1_048_576)]).toEqual([
      '1 byte',
      '1000 bytes',
      '64 KiB',
      '1 MiB',
    ]);
    expect([milliseconds(250.4), milliseconds(1000), milliseconds(1550)]).toEqual(['250 ms', '1 s', '1.55 s']);
    expect([span(59_000), span(5_400_000), span(86_400_000 * 3.9)]).toEqual(['0 minutes', '1 hour', '3 days']);
  });

  test('text from outside can not break a line, a log or a page', () => {
    expect(clean('a\r\nb\u0000\u001b[31mc\u2028d', 60)).toBe('a b [31mc d');
    expect(quote('x'.repeat(100), 10)).toBe(`"${'x'.repeat(9)}…"`);
    expect(clean('\ud83d', 10)).toBe('\ufffd');
    expect(clean('😀'.repeat(10), 6).isWellFormed()).toBe(true);
  });
});
