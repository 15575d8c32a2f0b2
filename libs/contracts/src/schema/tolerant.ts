import { z } from 'zod';

const made = new WeakMap<z.ZodType, z.ZodType>();

/**
 * The same schema for readers inside Tocsin: objects in it, however deep, drop fields that they do not know instead of
 * refusing them. So a service of the previous version reads what the next one writes. Everything else is checked alike.
 *
 * The variant is made when the module loads, so parsing costs what it did; asked for the same schema again it is the
 * same object. Schemas that hold others are followed where the contracts use them: objects, arrays, records, unions,
 * optional and default.
 */
export function tolerant<T extends z.ZodType>(schema: T): T {
  let variant = made.get(schema);
  if (!variant) made.set(schema, (variant = derive(schema)));
  return variant as T;
}

/**
 * A schema that takes less than an earlier version did. Readers inside Tocsin go by `before`, as what that version took is
 * still stored. Say so before anything that holds the schema is made tolerant.
 */
export function tightened<T extends z.ZodType>(schema: T, before: T): T {
  made.set(schema, tolerant(before));
  return schema;
}

function derive(schema: z.ZodType): z.ZodType {
  const def = looser(schema);
  if (!def) return schema;
  const variant = schema.clone(def as never);
  const meta = z.globalRegistry.get(schema);
  if (meta) z.globalRegistry.add(variant, meta);
  return variant;
}

/** The definition of a schema with the schemas in it replaced; undefined for one that holds none. */
function looser(schema: z.ZodType): object | undefined {
  if (schema instanceof z.ZodObject) return { ...schema.def, ...closed(schema), shape: eachOf(schema.def.shape) };
  if (schema instanceof z.ZodArray) return { ...schema.def, element: tolerant(schema.def.element as z.ZodType) };
  if (schema instanceof z.ZodRecord) return { ...schema.def, valueType: tolerant(schema.def.valueType as z.ZodType) };
  if (schema instanceof z.ZodUnion) {
    return { ...schema.def, options: schema.def.options.map((option) => tolerant(option as z.ZodType)) };
  }
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable || schema instanceof z.ZodDefault) {
    return { ...schema.def, innerType: tolerant(schema.def.innerType as z.ZodType) };
  }
  return undefined;
}

/** An object that refuses other fields no longer does; one that passes them on still passes them on. */
function closed({ def }: z.ZodObject): { catchall?: undefined } {
  return def.catchall instanceof z.ZodNever ? { catchall: undefined } : {};
}

function eachOf(shape: Readonly<Record<string, z.core.$ZodType>>): Record<string, z.ZodType> {
  return Object.fromEntries(Object.entries(shape).map(([name, field]) => [name, tolerant(field as z.ZodType)]));
}
