import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  type KeyObject,
} from 'node:crypto';
import { TocsinError } from '../errors.ts';

const PREFIX = 'sealed:v2:';
const PUBLIC_BYTES = 32;
const TAG_BYTES = 16;
/** Each key of AES seals one text, so its nonce may be the same. */
const NONCE = Buffer.alloc(12);
/** SubjectPublicKeyInfo of an X25519 key without its last 32 bytes (RFC 8410). */
const SPKI = Buffer.from('302a300506032b656e032100', 'hex');
/** How many keys of AES a {@link BoxKeys} keeps, of 32 bytes each. */
const MOST_KEPT = 10_000;

/** Who holds it may seal, and not open: an X25519 public key. */
export interface BoxKey {
  /** Names the pair in what it seals. */
  id: string;
  publicKey: KeyObject;
}

/** A public X25519 key to seal for. */
export function boxKey(publicKey: KeyObject): BoxKey {
  return { id: createHash('sha256').update(rawOf(publicKey)).digest('base64url').slice(0, 8), publicKey };
}

/** Whether it was sealed for this key. */
export function isSealedFor(key: BoxKey, sealed: string): boolean {
  return sealed.startsWith(`${PREFIX}${key.id}:`);
}

/**
 * Seals a text for the holder of the private half (RFC 9180 in kind): X25519 with a key made for this text alone, HKDF-SHA-256,
 * AES-256-GCM.
 */
export function sealFor({ id, publicKey }: BoxKey, plain: string): string {
  const once = generateKeyPairSync('x25519');
  const mine = rawOf(once.publicKey);
  const key = aesKey(diffieHellman({ privateKey: once.privateKey, publicKey }), mine, rawOf(publicKey));
  const cipher = createCipheriv('aes-256-gcm', key, NONCE).setAAD(Buffer.from(id));
  const body = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()]);
  return `${PREFIX}${id}:${Buffer.concat([mine, cipher.getAuthTag(), body]).toString('base64url')}`;
}

/**
 * Private X25519 keys, which open what was sealed for any of them. The key of AES of a text is kept for the next time, and the
 * text is not: opening a monitor's secret at each of its checks costs no more than with one secret for all.
 */
export class BoxKeys {
  private readonly pairs = new Map<string, { privateKey: KeyObject; publicKey: Buffer }>();
  private readonly kept = new Map<string, Buffer>();

  constructor(privateKeys: readonly KeyObject[]) {
    for (const privateKey of privateKeys) {
      const publicKey = createPublicKey(privateKey);
      this.pairs.set(boxKey(publicKey).id, { privateKey, publicKey: rawOf(publicKey) });
    }
  }

  /** @throws TocsinError `invalid` when it was changed, or sealed for none of these keys */
  open(sealed: string): string {
    const [, id, text] = /^sealed:v2:([\w-]{8}):([\w-]+)$/.exec(sealed) ?? [];
    const pair = id === undefined ? undefined : this.pairs.get(id);
    if (id === undefined || text === undefined || pair === undefined) {
      throw new TocsinError('invalid', 'a sealed secret does not open: it was sealed for another key');
    }
    const raw = Buffer.from(text, 'base64url');
    try {
      const key = this.keyOf(raw.subarray(0, PUBLIC_BYTES), pair);
      const decipher = createDecipheriv('aes-256-gcm', key, NONCE, { authTagLength: TAG_BYTES });
      decipher.setAAD(Buffer.from(id)).setAuthTag(raw.subarray(PUBLIC_BYTES, PUBLIC_BYTES + TAG_BYTES));
      return decipher.update(raw.subarray(PUBLIC_BYTES + TAG_BYTES), undefined, 'utf8') + decipher.final('utf8');
    } catch (cause) {
      throw new TocsinError('invalid', 'a sealed secret does not open: it was changed', { cause });
    }
  }

  private keyOf(theirs: Buffer, { privateKey, publicKey }: { privateKey: KeyObject; publicKey: Buffer }): Buffer {
    const name = theirs.toString('base64');
    let key = this.kept.get(name);
    if (key === undefined) {
      const other = createPublicKey({ key: Buffer.concat([SPKI, theirs]), format: 'der', type: 'spki' });
      key = aesKey(diffieHellman({ privateKey, publicKey: other }), theirs, publicKey);
      if (this.kept.size >= MOST_KEPT) this.kept.delete(this.kept.keys().next().value!);
      this.kept.set(name, key);
    }
    return key;
  }
}

function aesKey(shared: Buffer, once: Buffer, receiver: Buffer): Buffer {
  return Buffer.from(hkdfSync('sha256', shared, Buffer.concat([once, receiver]), 'tocsin sealed box', 32));
}

function rawOf(publicKey: KeyObject): Buffer {
  return publicKey.export({ format: 'der', type: 'spki' }).subarray(-PUBLIC_BYTES);
}
