import { z } from 'zod';

/** A mail address with the name that it is shown with, if any. */
export interface Mailbox {
  name?: string;
  address: string;
}

// Atoms of RFC 5321 and 6531 and the dots between them; whether the dots are well placed is for the mail server to say.
const LOCAL = /^[^\s\p{Cc}\p{Cf}\p{Cs}\p{Z}"(),:;<>@[\]\\]{1,64}$/u;
const LABEL = /^[\p{L}\p{M}\p{N}_-]{1,63}$/u;
const LITERAL = /^\[(?:IPv6:)?[0-9a-f:.]{2,45}\]$/i;
// A name with any of the characters that have a meaning in a list of addresses stands in quotes.
const NAMED = /^(?:"((?:[^"\\]|\\.)*)"\s*|([^"<>@,:;()[\]\\]*))<([^<>]*)>$/u;
const UNSAFE = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u;
const MOST_ADDRESS = 254;
const MOST_MAILBOX = 400;

/**
 * Whether a text is an address that a mail server may take: atoms before one `@`, and after it a name of one label or
 * more, in letters of any script, or an address in brackets. Quoted local parts are not taken: RFC 5321, 4.1.2, advises
 * against mailboxes that need them.
 */
export function isMailAddress(text: string): boolean {
  const at = text.indexOf('@');
  const domain = text.slice(at + 1);
  if (at < 0 || text.length > MOST_ADDRESS || !LOCAL.test(text.slice(0, at))) return false;
  if (LITERAL.test(domain)) return true;
  return domain.split('.').every((label) => LABEL.test(label)) && URL.canParse(`http://${domain}`);
}

/** Reads `ops@example.org`, `Ops <ops@example.org>` or `"Ops, Berlin" <ops@example.org>`; undefined for anything else. */
export function parseMailbox(text: string): Mailbox | undefined {
  if (isMailAddress(text)) return { address: text };
  const [, quoted, plain = '', address = ''] = (text.length > MOST_MAILBOX ? null : NAMED.exec(text)) ?? [];
  const name = (quoted?.replace(/\\(.)/gu, '$1') ?? plain).trim();
  if (!isMailAddress(address) || UNSAFE.test(text)) return undefined;
  return name === '' ? { address } : { name, address };
}

export const mailAddress = z
  .string()
  .max(MOST_ADDRESS)
  .refine(isMailAddress, { error: 'expected a mail address such as ops@example.org or root@localhost' })
  .meta({ examples: ['ops@example.org'] });

export const mailbox = z
  .string()
  .max(MOST_MAILBOX)
  .refine((text) => parseMailbox(text) !== undefined, {
    error: 'expected an address, or a name and an address: Tocsin <tocsin@example.org>',
  })
  .meta({ examples: ['Tocsin <tocsin@example.org>'] });
