import fc from 'fast-check';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { isSealed, isSealedAddress, sealSecret, type SecretKeys } from './seal.ts';
import { Sealing } from './sealing.ts';

const pair = () => generateKeyPairSync('x25519');
const now = pair();
const before = pair();
const secret: SecretKeys = [randomBytes(32)];
const sealer = new Sealing({ publicKey: now.publicKey });
const opener = new Sealing({ privateKeys: [now.privateKey] });
const invalid = expect.objectContaining({ code: 'invalid', retry: false }) as Error;

describe('what is sealed with a public key', () => {
  it('opens with its private half, as often as it is asked', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (plain) => {
        const sealed = sealer.seal(plain);
        expect(isSealed(sealed)).toBe(true);
        expect([opener.open(sealed), opener.open(sealed)]).toEqual([plain, plain]);
      }),
      { numRuns: 50 },
    );
  });

  it('does not open for who sealed it, nor with another key', () => {
    const sealed = sealer.seal('x');
    expect(() => sealer.open(sealed)).toThrow(invalid);
    expect(() => new Sealing({ privateKeys: [before.privateKey], secret }).open(sealed)).toThrow(invalid);
  });

  it('shows nothing of the secret, and looks different each time', () => {
    const [a, b] = [sealer.seal('battery staple'), sealer.seal('battery staple')];
    expect(a).not.toBe(b);
    expect(Buffer.from(a.split(':')[3]!, 'base64url').includes('battery')).toBe(false);
  });

  it('does not open once it was changed, wherever', () => {
    const sealed = sealer.seal('correct horse');
    opener.open(sealed);
    const start = 'sealed:v2:'.length;
    fc.assert(
      // The last character may hold bits that are not used.
      fc.property(fc.integer({ min: start, max: sealed.length - 2 }), (at) => {
        const other = sealed[at] === 'a' ? 'b' : 'a';
        expect(() => opener.open(sealed.slice(0, at) + other + sealed.slice(at + 1))).toThrow(invalid);
      }),
    );
  });

  it.each([
    '',
    'plain',
    'sealed:v2:',
    'sealed:v2:AAAAAAAA:',
    'sealed:v2:AAAAAAAA:AAAA',
    'sealed:v1:AAAA',
    'sealed:v3:x',
  ])('%j is refused as invalid', (text) => {
    expect(() => new Sealing({ privateKeys: [now.privateKey], secret }).open(text)).toThrow(invalid);
  });
});

describe('keys that change', () => {
  it('what the deployment secret sealed opens where it is given, and is sealed again once', () => {
    const old = sealSecret(secret, 'of before');
    expect(() => opener.open(old)).toThrow(invalid);
    expect(new Sealing({ privateKeys: [now.privateKey], secret }).open(old)).toBe('of before');
    const resealer = new Sealing({ publicKey: now.publicKey, secret });
    const resealed = resealer.reseal(old);
    expect(opener.open(resealed)).toBe('of before');
    expect(resealer.reseal(resealed)).toBe(resealed);
  });

  it('what a key before sealed is sealed again by who holds that key, and by nobody else', () => {
    const old = new Sealing({ publicKey: before.publicKey }).seal('x');
    const resealed = new Sealing({ publicKey: now.publicKey, privateKeys: [before.privateKey] }).reseal(old);
    expect(opener.open(resealed)).toBe('x');
    expect(() => sealer.reseal(old)).toThrow(invalid);
  });

  it('without a public key the secret seals as it did, and leaves what it does not know', () => {
    const v1 = new Sealing({ secret });
    const next: SecretKeys = [randomBytes(32), ...secret];
    const sealed = v1.seal('x');
    expect(sealed).toMatch(/^sealed:v1:/);
    expect(v1.reseal(sealed)).toBe(sealed);
    expect(new Sealing({ secret: next }).reseal(sealed)).not.toBe(sealed);
    const boxed = sealer.seal('y');
    expect(v1.reseal(boxed)).toBe(boxed);
  });
});

describe('an address', () => {
  const url = 'https://u:p@Hooks.example.org:443/T0?k=1';

  it('keeps its origin in sight, and opens to what it was', () => {
    const sealed = sealer.sealAddress(url);
    expect(isSealedAddress(sealed)).toBe(true);
    expect(sealed.split('#')[0]).toBe('https://hooks.example.org/…');
    expect(opener.openAddress(sealed)).toBe(url);
    expect(opener.openAddress(url)).toBe(url);
  });

  it('stays as it is while there is no public key: a reader of before could not open it', () => {
    expect(new Sealing({ secret }).sealAddress(url)).toBe(url);
    expect(new Sealing({ secret }).resealAddress(url)).toBe(url);
  });

  it('is sealed again once', () => {
    const resealed = sealer.resealAddress(url);
    expect(opener.openAddress(resealed)).toBe(url);
    expect(sealer.resealAddress(resealed)).toBe(resealed);
  });
});
