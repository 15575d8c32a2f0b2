import type { z } from 'zod';
import { epochMs } from '../schema/fields.ts';
import { type Marked, markedFields } from '../schema/marks.ts';

/** The last moment that RFC 3339 can write. */
const LATEST_MS = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/** A time as the API and webhooks write it: RFC 3339 in UTC, with milliseconds. @param ms since the epoch */
export function rfc3339(ms: number): string {
  return new Date(Math.min(ms, LATEST_MS)).toISOString();
}

type Convert = (value: unknown) => unknown;
type Times = Marked<'time'>;

const converts = new WeakMap<z.ZodType, Convert>();

/**
 * What writes the times of an answer: milliseconds since the epoch inside Tocsin, RFC 3339 outside. Which fields are times
 * follows from the schema alone. It returns a copy where there is a time, and leaves what is no number as it is.
 */
export function timesAsText(schema: z.ZodType): Convert {
  let convert = converts.get(schema);
  if (!convert) converts.set(schema, (convert = converterOf(markedFields(schema, timeOf))));
  return convert;
}

function timeOf(schema: z.ZodType): 'time' | undefined {
  return schema === epochMs ? 'time' : undefined;
}

function converterOf(times: Times | undefined): Convert {
  if (!times) return (value) => value;
  if (times.mark === 'time') return (value) => (typeof value === 'number' ? rfc3339(value) : value);
  const each = times.fields.get('*');
  const convertEach = each && converterOf(each);
  const named = [...times.fields]
    .filter(([name]) => name !== '*')
    .map(([name, of]) => [name, converterOf(of)] as const);
  return (value) => {
    if (typeof value !== 'object' || value === null) return value;
    if (Array.isArray(value)) return convertEach ? value.map(convertEach) : value;
    if (convertEach) return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, convertEach(one)]));
    const copy: Record<string, unknown> = { ...value };
    for (const [name, convert] of named) if (copy[name] !== undefined) copy[name] = convert(copy[name]);
    return copy;
  };
}
