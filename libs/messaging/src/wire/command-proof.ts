import { createHash, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { HEADER } from './names.ts';

/** Ed25519 keys (RFC 8032) by which owners know that a command comes from a sender that may send it. */
export interface CommandKeys {
  /** Of the sender. It signs with the first, and recognises what any of them has signed. */
  sign?: readonly KeyObject[] | undefined;
  /** Of an owner, public. It carries out only commands that one of them proves. Without any it believes every command. */
  trust?: readonly KeyObject[] | undefined;
  /** Whether an owner believes a command without a signature, as while gateways that do not sign are upgraded. */
  unsigned?: 'accept' | 'refuse' | undefined;
}

/** A command as it travels. */
export interface SentCommand {
  subject: string;
  headers: Readonly<Record<string, string>>;
  payload: Uint8Array;
}

/** The stream of commands keeps one for this long. An older one is a copy of one that was carried out. */
const MAX_AGE_MS = 86_400_000;
/** Clocks of two hosts may differ by this much. */
const MAX_AHEAD_MS = 300_000;

/**
 * Everything that a command's owner acts on, beside its subject and its payload. It includes the address of the answer: an
 * answer may hold a secret, and a copy of the command must not send it elsewhere.
 */
const SIGNED = [
  HEADER.operation,
  HEADER.requestHash,
  HEADER.reply,
  HEADER.deadline,
  HEADER.actor,
  HEADER.token,
  HEADER.role,
  HEADER.route,
  HEADER.signedAt,
] as const;

/** The headers that prove a command at `now` (ms since the epoch). */
export function proofOf(command: SentCommand, key: KeyObject, now: number): Record<string, string> {
  const at = { [HEADER.signedAt]: String(now) };
  const signed = signedText({ ...command, headers: { ...command.headers, ...at } });
  return { ...at, [HEADER.signature]: sign(null, signed, key).toString('base64url') };
}

/** Whether one of the keys signed the command, at any time. */
export function isSignedBy(command: SentCommand, keys: readonly KeyObject[]): boolean {
  const signature = Buffer.from(command.headers[HEADER.signature] ?? '', 'base64url');
  const signed = signedText(command);
  return keys.some((key) => verify(null, signed, key.type === 'private' ? createPublicKey(key) : key, signature));
}

/** Why an owner does not carry a command out; undefined if it is proven. */
export function proofProblem(
  command: SentCommand,
  { trust = [], unsigned }: CommandKeys,
  now: number,
): string | undefined {
  if (trust.length === 0) return undefined;
  if (!command.headers[HEADER.signature]) return unsigned === 'accept' ? undefined : 'it is not signed';
  if (!isSignedBy(command, trust)) return 'its signature is not that of a key in TOCSIN_COMMAND_PUBLIC_KEY';
  const age = now - Number(command.headers[HEADER.signedAt]);
  if (age > MAX_AGE_MS) return 'it was signed more than a day ago';
  return age < -MAX_AHEAD_MS ? 'it was signed in the future: a clock is wrong' : undefined;
}

function signedText({ subject, headers, payload }: SentCommand): Buffer {
  const body = createHash('sha256').update(payload).digest('base64');
  // A list, so that text cannot be moved from one part to the next.
  const parts = SIGNED.map((name) => (headers[name] ?? '').trim());
  return Buffer.from(JSON.stringify(['tocsin command', subject, body, ...parts]));
}
