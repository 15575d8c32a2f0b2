import { z } from 'zod';

/** One variable of the environment, and the schema that reads its text. */
export interface Variable<S extends z.ZodType = z.ZodType> {
  variable: string;
  schema: S;
}

interface Fields {
  readonly [field: string]: Variable | Fields;
}

/** What a configuration is once it is read: the shape of its fields, with values in place of variables. */
export type Configuration<F> = F extends Variable<infer S> ? z.output<S> : { [K in keyof F]: Configuration<F[K]> };

/** Names the variable that a field of a configuration is read from. */
export function variable<S extends z.ZodType>(name: `TOCSIN_${string}`, schema: S): Variable<S> {
  return { variable: name, schema };
}

/**
 * The schema of a configuration whose fields are read from variables, in groups where that helps its readers:
 * `environment({ retry: { baseMs: variable('TOCSIN_RETRY_BASE_MS', wholeNumber({ min: 10, max: 60_000 })) } })`.
 * An issue has the name of the variable as its path.
 */
export function environment<F extends Fields>(fields: F): z.ZodType<Configuration<F>> {
  const schemas = Object.fromEntries(variablesOf(fields).map(({ variable, schema }) => [variable, schema]));
  return z.object(schemas).transform((values) => configurationOf(fields, values) as Configuration<F>);
}

/** Refuses a configuration in which one of these variables has no value: `requireAll(context, { TOCSIN_X: config.x })`. */
export function requireAll(context: z.RefinementCtx, values: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined) context.addIssue({ code: 'custom', path: [name], message: 'is missing' });
  }
}

/** A whole number in decimal digits, within bounds; `unit` only says in the error what is counted. */
export function wholeNumber(bounds: { min: number; max: number; unit?: string }) {
  const of = bounds.unit === undefined ? '' : ` of ${bounds.unit}`;
  return z
    .string()
    .regex(/^\d+$/, `must be a whole number${of}`)
    .transform(Number)
    .pipe(z.number().min(bounds.min).max(bounds.max));
}

/** A time in whole milliseconds, within bounds. */
export const milliseconds = (min: number, max: number) => wholeNumber({ min, max, unit: 'milliseconds' });

/** Items with commas in between, without the space around them and without empty ones. */
export const commaList = z.string().transform((text) =>
  text
    .split(',')
    .map((item) => item.trim())
    .filter(Boolean),
);

function isVariable(field: Variable | Fields): field is Variable {
  return typeof field['variable'] === 'string';
}

function variablesOf(fields: Fields): Variable[] {
  return Object.values(fields).flatMap((field) => (isVariable(field) ? [field] : variablesOf(field)));
}

function configurationOf(fields: Fields, values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, field]) => [
      name,
      isVariable(field) ? values[field.variable] : configurationOf(field, values),
    ]),
  );
}
