import type { KeyObject } from 'node:crypto';
import { TocsinError } from '../errors.ts';
import { openSecret, type SecretKeys, sealSecret } from './seal.ts';
import { type BoxKey, BoxKeys, boxKey, isSealedFor, sealFor } from './sealed-box.ts';

/** What a deployment has to seal and open one sort of secrets with; each service has its part of it. */
export interface SealKeys {
  /** The public key that seals. */
  publicKey?: KeyObject | undefined;
  /** The private keys that open, while they are changed several. */
  privateKeys?: readonly KeyObject[] | undefined;
  /** TOCSIN_SECRET: it opens what earlier versions sealed, and seals where there is no public key yet. */
  secret?: SecretKeys | undefined;
}

/** Seals and opens one sort of secrets: those of checks, or those of channels. */
export class Sealing {
  /** Whether addresses may be sealed: only a public key says that nobody is left who could not read them. */
  readonly addresses: boolean;
  private readonly box: BoxKey | undefined;
  private readonly boxes: BoxKeys;
  private readonly secret: SecretKeys | undefined;

  constructor({ publicKey, privateKeys, secret }: SealKeys) {
    this.box = publicKey && boxKey(publicKey);
    this.boxes = new BoxKeys(privateKeys ?? []);
    this.secret = secret;
    this.addresses = this.box !== undefined;
  }

  /** @throws TocsinError `internal` without a key to seal with */
  seal(plain: string): string {
    if (this.box) return sealFor(this.box, plain);
    if (this.secret) return sealSecret(this.secret, plain);
    throw new TocsinError('internal', 'there is no key to seal with');
  }

  /** @throws TocsinError `invalid` when none of the keys opens it */
  open(sealed: string): string {
    if (sealed.startsWith('sealed:v2:')) return this.boxes.open(sealed);
    if (this.secret) return openSecret(this.secret, sealed);
    throw new TocsinError(
      'invalid',
      'a sealed secret does not open: it was sealed with TOCSIN_SECRET, which is not given',
    );
  }

  /**
   * The text itself where the present key has sealed it, or where that can't be told, and the same secret sealed with it
   * otherwise.
   * @throws TocsinError `invalid` as {@link open}
   */
  reseal(sealed: string): string {
    if (this.box) return isSealedFor(this.box, sealed) ? sealed : this.seal(this.open(sealed));
    if (sealed.startsWith('sealed:v2:') || !this.secret) return sealed;
    try {
      openSecret([this.secret[0]], sealed);
      return sealed;
    } catch {
      return this.seal(this.open(sealed));
    }
  }

  /** An address with all but its origin sealed; as it is while there is no public key. */
  sealAddress(url: string): string {
    return this.addresses ? `${URL.parse(url)?.origin ?? ''}/…#${this.seal(url)}` : url;
  }

  /** An address that {@link sealAddress} made, or one that is not sealed. @throws TocsinError `invalid` as {@link open} */
  openAddress(url: string): string {
    const at = url.indexOf('/…#sealed:');
    return at < 0 ? url : this.open(url.slice(at + 3));
  }

  /** As {@link reseal}. */
  resealAddress(url: string): string {
    const at = url.indexOf('/…#sealed:');
    if (at < 0) return this.sealAddress(url);
    return url.slice(0, at + 3) + this.reseal(url.slice(at + 3));
  }
}
