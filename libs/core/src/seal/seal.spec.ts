import fc from 'fast-check';
import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { newId } from '../ids.ts';
import {
  heartbeatKey,
  heartbeatKeysOf,
  isSealed,
  monitorOfHeartbeatKey,
  openSecret,
  sealSecret,
  type SecretKeys,
  tokenSecret,
} from './seal.ts';

const key: SecretKeys = [randomBytes(32)];
const other: SecretKeys = [randomBytes(32)];
/** As while a key is being changed: the new one, then the one before. */
const both: SecretKeys = [...other, ...key];

/** The text with the character at a place, counted from the end, replaced by another of base64url and of hex. */
function changed(text: string, fromEnd: number): string {
  const at = text.length - 1 - fromEnd;
  return text.slice(0, at) + (text[at] === 'a' ? 'b' : 'a') + text.slice(at + 1);
}

describe('a sealed secret', () => {
  it('opens to what was sealed', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (plain) => {
        const sealed = sealSecret(key, plain);
        expect(isSealed(sealed)).toBe(true);
        expect(openSecret(key, sealed)).toBe(plain);
      }),
    );
  });

  it('shows nothing of the secret, and looks different each time', () => {
    const [a, b] = [sealSecret(key, 'battery staple'), sealSecret(key, 'battery staple')];
    expect(a).not.toBe(b);
    expect(Buffer.from(a.slice('sealed:v1:'.length), 'base64url').includes('battery')).toBe(false);
  });

  it('does not open with another key, and the error says what to look at', () => {
    expect(() => openSecret(other, sealSecret(key, 'x'))).toThrow(/TOCSIN_SECRET/);
  });

  it('opens with any of several keys, and the first one seals', () => {
    expect(openSecret(both, sealSecret(key, 'of before'))).toBe('of before');
    expect(openSecret(other, sealSecret(both, 'of now'))).toBe('of now');
    expect(() => openSecret(key, sealSecret(both, 'of now'))).toThrow(/TOCSIN_SECRET/);
  });

  it('does not open once it was changed, wherever', () => {
    const sealed = sealSecret(key, 'correct horse');
    fc.assert(
      // The last character may hold bits that are not used.
      fc.property(fc.integer({ min: 1, max: sealed.length - 'sealed:v1:'.length - 1 }), (fromEnd) => {
        expect(() => openSecret(key, changed(sealed, fromEnd))).toThrow(/does not open/);
      }),
    );
  });

  it.each(['', 'plain', 'sealed:v1:', 'sealed:v1:AAAA', 'sealed:v2:AAAA'])('%j is refused as invalid', (text) => {
    expect(() => openSecret(key, text)).toThrow(expect.objectContaining({ code: 'invalid', retry: false }));
  });
});

describe('the key of a heartbeat', () => {
  it('says whose it is', () => {
    fc.assert(
      fc.property(fc.uuid(), (monitorId) => {
        expect(monitorOfHeartbeatKey(key, heartbeatKey(key, monitorId))).toBe(monitorId);
      }),
    );
  });

  it('of any of several keys says whose it is, and the first one makes it', () => {
    const id = newId();
    expect(monitorOfHeartbeatKey(both, heartbeatKey(key, id))).toBe(id);
    expect(heartbeatKey(both, id)).toBe(heartbeatKey(other, id));
  });

  it('never changes its form: jobs hold it', () => {
    const keys = heartbeatKeysOf([Buffer.alloc(32, 7)]);
    expect(heartbeatKey(keys, '00000000-0000-7000-8000-000000000000')).toBe(
      '00000000000070008000000000000000ed645faac0a4f87c0169f837ca98b2c9',
    );
  });

  it('of another secret is refused', () => {
    expect(monitorOfHeartbeatKey(key, heartbeatKey(other, newId()))).toBeUndefined();
  });

  it('that was changed, in the monitor or in the proof, is refused', () => {
    const made = heartbeatKey(key, newId());
    fc.assert(
      fc.property(fc.nat(made.length - 1), (fromEnd) => {
        expect(monitorOfHeartbeatKey(key, changed(made, fromEnd))).toBeUndefined();
      }),
    );
  });

  it('is refused in any other form', () => {
    const made = heartbeatKey(key, newId());
    for (const text of ['', 'x', made.slice(1), `${made}0`, ` ${made}`, `${made}\n`, made.toUpperCase()]) {
      expect([text, monitorOfHeartbeatKey(key, text)]).toEqual([text, undefined]);
    }
  });
});

describe('the secret of a token', () => {
  it('follows from its identifier, and is another for another token or key', () => {
    const id = newId();
    expect(tokenSecret(key, id)).toMatch(/^tsn_[\w-]{43}$/);
    expect(tokenSecret(key, id)).toBe(tokenSecret([Buffer.from(key[0])], id));
    expect([tokenSecret(key, newId()), tokenSecret(other, id)]).not.toContain(tokenSecret(key, id));
  });

  it('never changes its form: the hashes that are stored hang on it', () => {
    expect(tokenSecret([Buffer.alloc(32, 7)], '00000000-0000-7000-8000-000000000000')).toBe(
      'tsn_Qp8wKiVQ6g4Q2WmalEhv_KAQKOkw3fl-5biEIyQ-Y9s',
    );
  });
});
