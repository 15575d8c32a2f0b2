import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { proofOf, proofProblem, type SentCommand } from './command-proof.ts';

const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const other = generateKeyPairSync('ed25519');
const NOW = 1_800_000_000_000;
const keys = { trust: [publicKey] };

const plain: SentCommand = {
  subject: 'commands.monitors.tokens-create.op-1',
  headers: {
    'Tocsin-Operation': 'op-1',
    'Tocsin-Request-Hash': 'hash',
    'Tocsin-Reply': '_INBOX.gateway.reply.op-1',
    'Tocsin-Deadline': '1800000005000',
    'Tocsin-Actor': 'Zoë',
    'Tocsin-Token': 't1',
    'Tocsin-Role': 'admin',
    'Tocsin-Route': 'POST /v1/tokens',
  },
  payload: new TextEncoder().encode('{"spec":{"role":"viewer"}}'),
};
const signed: SentCommand = { ...plain, headers: { ...plain.headers, ...proofOf(plain, privateKey, NOW) } };

describe('a command', () => {
  it('that is signed is carried out, also a day later, and where the key is the older of two', () => {
    expect(proofProblem(signed, keys, NOW)).toBeUndefined();
    expect(proofProblem(signed, keys, NOW + 86_400_000)).toBeUndefined();
    expect(proofProblem(signed, { trust: [createPublicKey(other.privateKey), publicKey] }, NOW)).toBeUndefined();
  });

  it('without a signature is refused unless that is allowed', () => {
    expect(proofProblem(plain, keys, NOW)).toBe('it is not signed');
    expect(proofProblem(plain, { ...keys, unsigned: 'accept' }, NOW)).toBeUndefined();
    expect(proofProblem(plain, {}, NOW)).toBeUndefined();
  });

  it('of another key is refused, also where none would do', () => {
    const forged = { ...plain, headers: { ...plain.headers, ...proofOf(plain, other.privateKey, NOW) } };
    expect(proofProblem(forged, { ...keys, unsigned: 'accept' }, NOW)).toMatch(/not that of a key/);
  });

  it('that is older than the stream keeps any, or of tomorrow, is refused', () => {
    expect(proofProblem(signed, keys, NOW + 86_400_001)).toMatch(/more than a day ago/);
    expect(proofProblem(signed, keys, NOW - 300_001)).toMatch(/in the future/);
  });

  it('of which anything was changed is refused', () => {
    const part = fc.constantFrom('subject', 'payload', ...Object.keys(signed.headers));
    fc.assert(
      fc.property(part, fc.string(), (name, value) => {
        const changed =
          name === 'subject'
            ? { ...signed, subject: value }
            : name === 'payload'
              ? { ...signed, payload: new TextEncoder().encode(value) }
              : { ...signed, headers: { ...signed.headers, [name]: value } };
        fc.pre(value.trim() !== (signed.headers[name] ?? signed.subject).trim());
        expect(proofProblem(changed, keys, NOW)).toBeDefined();
      }),
    );
  });
});
