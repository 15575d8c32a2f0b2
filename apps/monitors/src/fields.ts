import { type FieldError, TocsinError } from '@tocsin/core';
import { z } from 'zod';

/** The most field errors that one answer lists. */
const MOST = 50;

/** A path into a document as a JSON Pointer (RFC 6901). */
export function pointer(path: readonly PropertyKey[]): string {
  return path.map((step) => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

/** What a schema found wrong, field by field. */
function fieldsOf(error: z.ZodError): FieldError[] {
  return error.issues.flatMap((issue) => fieldsOfIssue(issue, [])).slice(0, MOST);
}

/** @throws TocsinError `invalid` that names the fields */
export function refuse(fields: readonly FieldError[], what: string): never {
  const first = fields[0];
  const more = fields.length > 1 ? ` (and ${fields.length - 1} more)` : '';
  throw new TocsinError('invalid', `${what}: ${first?.path || 'the document'} ${first?.message ?? ''}${more}`, {
    fields,
  });
}

/**
 * Parses a document by its schema.
 * @throws TocsinError `invalid` with the pointer of every wrong field
 */
export function parseOrRefuse<T>(schema: z.ZodType<T>, document: unknown, what: string): T {
  const parsed = schema.safeParse(document);
  return parsed.success ? parsed.data : refuse(fieldsOf(parsed.error), what);
}

function fieldsOfIssue(issue: z.core.$ZodIssue, before: readonly PropertyKey[]): FieldError[] {
  const path = [...before, ...issue.path];
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ path: pointer([...path, key]), message: 'is not a field that exists here' }));
  }
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    // The alternative that fits best is the one that was meant.
    const meant = issue.errors.toSorted((a, b) => a.length - b.length)[0] ?? [];
    if (meant.length > 0) return meant.flatMap((inner) => fieldsOfIssue(inner, path));
  }
  return [{ path: pointer(path), message: issue.message }];
}
