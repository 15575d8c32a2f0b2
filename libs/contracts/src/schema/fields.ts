import { asciiHost, durationMs, isDuration, isSealed } from '@tocsin/core';
import { z } from 'zod';
import { marked } from './marks.ts';

/** Field types that several messages share. */

/** A UUID, in lower case: in upper case it is the same one (RFC 9562, 4). */
export const id = z.uuid().toLowerCase();

/** A point in time on the wire: milliseconds since the epoch inside Tocsin. */
export const epochMs = z.int().min(0).max(8_640_000_000_000_000);

/** A point in time as a person gives it, in an address or a body: RFC 3339 with any offset, or milliseconds since the epoch. */
export const time = z
  .union([z.string().max(40).meta({ format: 'date-time' }), z.int().min(0)])
  .transform((given, context) => {
    const ms = typeof given === 'number' || /^\d{1,16}$/.test(given) ? Number(given) : rfc3339Ms(given);
    if (epochMs.safeParse(ms).success) return ms;
    const message = 'expected a time such as 2026-11-21T09:30:00Z, or milliseconds since the epoch';
    context.addIssue({ code: 'custom', message, input: given });
    return z.NEVER;
  })
  .pipe(epochMs)
  .meta({
    description: 'RFC 3339 with any offset, or milliseconds since the epoch',
    examples: ['2026-11-21T09:30:00Z'],
  });

function rfc3339Ms(text: string): number {
  return z.iso.datetime({ offset: true }).safeParse(text).success ? Date.parse(text) : Number.NaN;
}

/** A duration such as `30s`, between two bounds that are written the same way. */
export function duration(min: string, max: string) {
  return z
    .string()
    .max(12)
    .refine(isDuration, { error: 'expected a duration such as 500ms, 30s, 5m, 1h or 1d', abort: true })
    .refine((text) => durationMs(text) >= durationMs(min) && durationMs(text) <= durationMs(max), {
      error: `must be between ${min} and ${max}`,
    })
    .meta({ examples: ['30s', '5m'], description: `A duration between ${min} and ${max}` });
}

/** Text without control characters other than tab and newline: it ends in headers, logs and mail. */
export function text(max: number, min = 0) {
  return z
    .string()
    .min(min)
    .max(max)
    .refine((value) => !CONTROL.test(value), { error: 'must not contain control characters' })
    .refine((value) => value.isWellFormed(), { error: 'must be well-formed Unicode' });
}
// oxlint-disable-next-line no-control-regex -- control characters are what it looks for
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f]/;

/** One line of text. */
export function line(max: number, min = 1) {
  return text(max, min).refine((value) => !/[\r\n\t]/.test(value), { error: 'must be one line' });
}

/** What the API shows in place of a secret; sent back, it keeps the secret that is there. */
export const HIDDEN = '********';

/** A host name or an IP address, as a person writes it: `bücher.example` too. `asciiHost` says what is asked for. */
export const host = z
  .string()
  .max(253)
  .refine((value) => asciiHost(value) !== undefined, { error: 'expected a host name or an IP address' });

/** The longest text that a secret of so many characters is sealed into. */
export function longestSealed(max: number): number {
  return 4 * max + 128;
}

export interface SecretRules {
  /** The fewest characters; 1 where nothing is said. */
  min?: number;
  /** Says what else is wrong with the plain text; undefined when nothing is. */
  problem?: (plain: string) => string | undefined;
}

/** A secret: sealed at the door, sealed inside, hidden on its way out. `max` and the rules are about it in plain. */
export function secret(max = 4096, { min = 1, problem = () => undefined }: SecretRules = {}) {
  const plain = text(longestSealed(max), min)
    .refine((value) => isSealed(value) || value.length <= max, { error: `must be at most ${max} characters` })
    .refine((value) => isSealed(value) || value === HIDDEN || problem(value) === undefined, {
      error: (issue) => problem(String(issue.input)),
    })
    .meta({ maxLength: max, description: `Write-only: read back as ${HIDDEN}, which, sent again, keeps it` });
  return marked('secret', plain);
}

export const tag = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._:/-]{0,62}$/, { error: 'lower-case letters, digits and . _ : / - only, up to 63' });

export const locationName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,30}$/, { error: 'lower-case letters, digits and - only, up to 31' });

/** A page of a list: `next` is the cursor of the page after it, absent on the last. */
export function page<T extends z.ZodType>(item: T) {
  return z.object({ items: z.array(item), next: z.string().optional() });
}

export const limit = z.coerce.number().int().min(1).max(500).default(100).meta({
  description: 'Most items of a page. A page of large ones holds fewer: there are more as long as it has `next`',
});
