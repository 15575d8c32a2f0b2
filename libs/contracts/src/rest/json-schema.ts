import { z } from 'zod';
import { epochMs } from '../schema/fields.ts';
import { marks } from '../schema/marks.ts';

export type JsonSchema = Record<string, unknown>;

type Described = Pick<Parameters<NonNullable<z.core.ToJSONSchemaParams['override']>>[0], 'zodSchema' | 'jsonSchema'>;

/** Adds to a JSON Schema what `.meta()` and the marks say of its zod schema. */
export function described(io: 'input' | 'output'): (of: Described) => void {
  return ({ zodSchema, jsonSchema }) => {
    // Metadata given by `.meta()` is kept in zod's global registry, which a registry of one's own leaves out.
    const { id: _id, ...meta } = z.globalRegistry.get(zodSchema as unknown as z.ZodType) ?? {};
    for (const [key, value] of Object.entries(meta)) {
      if (!(key in jsonSchema)) Object.assign(jsonSchema, { [key]: value });
    }
    if (io === 'output' && (zodSchema as unknown) === epochMs) asText(jsonSchema);
    const mark = marks.get(zodSchema as unknown as z.ZodType)?.mark;
    // A URL as browsers read it need not be a URI (RFC 3986): `http://a/%`. A secret address has `…` in place of its path.
    if (io === 'output' && jsonSchema.format === 'uri') delete jsonSchema.format;
    if (io === 'input' && mark === 'secret') Object.assign(jsonSchema, { format: 'password', writeOnly: true });
  };
}

/** How a time is answered: see `timesAsText`. */
function asText(jsonSchema: JsonSchema): void {
  for (const key of ['minimum', 'maximum']) delete jsonSchema[key];
  Object.assign(jsonSchema, {
    type: 'string',
    format: 'date-time',
    description: 'RFC 3339 in UTC, with milliseconds',
    examples: ['2026-11-21T09:30:00.000Z'],
  });
}
