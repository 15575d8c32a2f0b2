import { z } from 'zod';
import { epochMs } from '../schema/fields.ts';

/** The last moment that RFC 3339 can write. */
const LATEST_MS = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/** A time as the API and webhooks write it: RFC 3339 in UTC, with milliseconds. @param ms since the epoch */
export function rfc3339(ms: number): string {
  return new Date(Math.min(ms, LATEST_MS)).toISOString();
}

type Convert = (value: unknown) => unknown;
type Times = { isTime: true } | { fields: ReadonlyMap<string, Times> };

const converts = new WeakMap<z.ZodType, Convert>();

/**
 * What writes the times of an answer: milliseconds since the epoch inside Tocsin, RFC 3339 outside. Which fields are times
 * follows from the schema alone. It returns a copy where there is a time, and leaves what is no number as it is.
 */
export function timesAsText(schema: z.ZodType): Convert {
  let convert = converts.get(schema);
  if (!convert) converts.set(schema, (convert = converterOf(timesIn(schema))));
  return convert;
}

/** Where the times of a schema are; `*` stands for each member of an array or a record. Options of a union are laid over each other. */
function timesIn(schema: z.ZodType): Times | undefined {
  if (schema === epochMs) return { isTime: true };
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable || schema instanceof z.ZodDefault) {
    return timesIn(schema.def.innerType as z.ZodType);
  }
  if (schema instanceof z.ZodPipe) return timesIn(schema.def.out as z.ZodType);
  if (schema instanceof z.ZodUnion) {
    return schema.def.options.map((option) => timesIn(option as z.ZodType)).reduce(laidOver, undefined);
  }
  if (schema instanceof z.ZodArray) return within([['*', schema.def.element as z.ZodType]]);
  if (schema instanceof z.ZodRecord) return within([['*', schema.def.valueType as z.ZodType]]);
  if (schema instanceof z.ZodObject) return within(Object.entries(schema.def.shape as Record<string, z.ZodType>));
  return undefined;
}

function within(members: readonly (readonly [string, z.ZodType])[]): Times | undefined {
  const fields = members.flatMap(([name, member]) => {
    const times = timesIn(member);
    return times ? [[name, times] as const] : [];
  });
  return fields.length === 0 ? undefined : { fields: new Map(fields) };
}

function laidOver(a: Times | undefined, b: Times | undefined): Times | undefined {
  if (!a || !b) return a ?? b;
  if ('isTime' in a || 'isTime' in b) return a;
  const fields = new Map(a.fields);
  for (const [name, times] of b.fields) fields.set(name, laidOver(fields.get(name), times)!);
  return { fields };
}

function converterOf(times: Times | undefined): Convert {
  if (!times) return (value) => value;
  if ('isTime' in times) return (value) => (typeof value === 'number' ? rfc3339(value) : value);
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
