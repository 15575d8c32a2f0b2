import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fold } from './case-folding.ts';

describe('what a text is compared by', () => {
  it.each([
    ['Zürich Überwachung', 'ZÜRICH ÜBERWACHUNG'],
    ['Zu\u0308rich', 'Z\u00dcRICH'],
    ['Straße', 'STRASSE'],
    ['Straße', 'STRAẞE'],
    ['Οδός', 'ΟΔΌΣ'],
    ['Ἀθῆναι ΟΔΟΣ', 'ἀθῆναι οδοσ'],
    ['İstanbul', 'istanbul'],
    ['Diyarbakır', 'DIYARBAKIR'],
    ['МОСКВА', 'москва'],
    ['ﬁle', 'FILE'],
    ['Åland', '\u212bLAND'],
    ['ΐ', '\u0399\u0308\u0301'],
  ])('%s and %s are the same', (one, other) => {
    expect(fold(one)).toBe(fold(other));
  });

  it.each([
    ['a', 'ä'],
    ['o', 'ø'],
    ['%', '_'],
    ['e', 'é'],
  ])('%s and %s are not', (one, other) => {
    expect(fold(one)).not.toBe(fold(other));
  });

  it('any text in any case and form is the same, and folded again it is as it was', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 12 }), (text) => {
        expect(fold(fold(text))).toBe(fold(text));
        expect(fold(text.toUpperCase())).toBe(fold(text));
        expect(fold(text.normalize('NFC'))).toBe(fold(text.normalize('NFD')));
      }),
      { numRuns: 1_000 },
    );
  });
});
