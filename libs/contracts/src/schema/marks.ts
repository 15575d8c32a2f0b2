import { z } from 'zod';

/**
 * What a field of a specification is, besides its type:
 * `secret`: sealed at the door, and shown to nobody; `headers`: some of them are secret; `address`: a URL that is a secret
 * from its path on; `text`: viewers do not see it; `query`: a URL whose query's values they do not see.
 */
export type Mark = 'secret' | 'headers' | 'address' | 'text' | 'query';

/** The marks of the fields, kept beside their schemas: so what is true of a secret is said where the secret is declared. */
export const marks = z.registry<{ mark: Mark }>();

/** A schema that carries a mark. */
export function marked<T extends z.ZodType>(mark: Mark, schema: T): T {
  marks.add(schema, { mark });
  return schema;
}

/** One step into a schema, and the marked fields below it. */
export interface Marked<M extends string = Mark> {
  mark?: M;
  /** What a value there must be. */
  schema: z.ZodType;
  /** By name; `*` stands for every member of a record or an array. */
  fields: Map<string, Marked<M>>;
}

/** The mark that a schema carries in {@link marks}. */
export function markOf(schema: z.ZodType): Mark | undefined {
  return marks.get(schema)?.mark;
}

/**
 * The marked fields of a schema; undefined where it holds none. Unions are laid over each other.
 * @param mark what makes a field one of them; for what people send, {@link markOf}
 */
export function markedFields<M extends string>(
  schema: z.ZodType,
  mark: (schema: z.ZodType) => M | undefined,
): Marked<M> | undefined {
  const own = mark(schema);
  if (own !== undefined) return { mark: own, schema, fields: new Map() };
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable || schema instanceof z.ZodDefault) {
    return markedFields(schema.def.innerType as z.ZodType, mark);
  }
  if (schema instanceof z.ZodPipe) return markedFields(schema.def.out as z.ZodType, mark);
  if (schema instanceof z.ZodUnion) {
    const found = schema.def.options.map((option) => markedFields(option as z.ZodType, mark));
    return found.reduce((a, b) => (a && b ? laidOver(a, b) : (a ?? b)), undefined);
  }
  const inner = membersOf(schema).flatMap(([name, member]) => {
    const found = markedFields(member, mark);
    return found ? ([[name, found]] as const) : [];
  });
  return inner.length === 0 ? undefined : { schema, fields: new Map(inner) };
}

/** Both of them. @throws Error where a field is one thing here and another there: nobody could tell them apart in a patch */
export function laidOver<M extends string>(a: Marked<M>, b: Marked<M>): Marked<M> {
  if (a.mark !== b.mark) throw new Error(`a field is marked ${a.mark} in one kind and ${b.mark} in another`);
  const fields = new Map(a.fields);
  for (const [name, field] of b.fields) {
    const other = fields.get(name);
    fields.set(name, other ? laidOver(other, field) : field);
  }
  return { ...a, fields };
}

function membersOf(schema: z.ZodType): [string, z.ZodType][] {
  if (schema instanceof z.ZodObject) return Object.entries(schema.def.shape) as [string, z.ZodType][];
  if (schema instanceof z.ZodArray) return [['*', schema.def.element as z.ZodType]];
  if (schema instanceof z.ZodRecord) return [['*', schema.def.valueType as z.ZodType]];
  return [];
}
