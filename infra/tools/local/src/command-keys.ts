import { generateKeyPairSync } from 'node:crypto';
import { commandsPart, type ServiceName } from '@tocsin/contracts';

/** The two halves of what proves that a gateway sent a command: Ed25519, as DER in base64. */
export interface CommandKeyPair {
  key: string;
  publicKey: string;
}

/** A new pair. The first half is for gateways alone. */
export function newCommandKeys(): CommandKeyPair {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519', {
    privateKeyEncoding: { type: 'pkcs8', format: 'der' },
    publicKeyEncoding: { type: 'spki', format: 'der' },
  });
  return { key: privateKey.toString('base64'), publicKey: publicKey.toString('base64') };
}

/** The half that a sub-service needs, as its environment has it: who sends commands signs, who carries them out looks. */
export function commandKeysOf(service: ServiceName, { key, publicKey }: CommandKeyPair): Record<string, string> {
  const part = commandsPart(service);
  if (part === 'sends') return { TOCSIN_COMMAND_KEY: key };
  return part === 'carries out' ? { TOCSIN_COMMAND_PUBLIC_KEY: publicKey } : {};
}
