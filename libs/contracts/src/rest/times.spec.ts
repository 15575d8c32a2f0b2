import { expect, test } from 'vitest';
import { z } from 'zod';
import { epochMs, time } from '../schema/fields.ts';
import { openapi } from './openapi.ts';
import { rfc3339, timesAsText } from './times.ts';

const AT = Date.UTC(2026, 10, 21, 9, 30);
const TEXT = '2026-11-21T09:30:00.000Z';

const schema = z.object({
  at: epochMs,
  until: time.optional(),
  never: epochMs.nullable(),
  durationMs: z.number(),
  list: z.array(z.object({ at: epochMs.optional() })),
  byName: z.record(z.string(), epochMs),
  either: z.union([z.object({ kind: z.literal('a'), at: epochMs }), z.object({ kind: z.literal('b'), to: epochMs })]),
  free: z.unknown(),
});

test('every time of an answer becomes text, wherever its schema has one, and nothing else does', () => {
  const answer = {
    at: AT,
    until: AT,
    never: null,
    durationMs: AT,
    list: [{ at: AT }, {}],
    byName: { x: AT },
    either: { kind: 'b', to: AT },
    free: { at: AT },
  };
  const before = structuredClone(answer);
  expect(timesAsText(schema)(answer)).toEqual({
    ...before,
    at: TEXT,
    until: TEXT,
    list: [{ at: TEXT }, {}],
    byName: { x: TEXT },
    either: { kind: 'b', to: TEXT },
  });
  expect(answer).toEqual(before);
});

test('fields that the schema does not know, and answers that are none, pass as they are', () => {
  expect(timesAsText(schema)({ at: AT, later: AT })).toEqual({ at: TEXT, later: AT });
  for (const other of [undefined, null, 'text', 1]) expect(timesAsText(schema)(other)).toBe(other);
});

test('a time beyond what RFC 3339 can write is its last moment', () => {
  expect(rfc3339(8_640_000_000_000_000)).toBe('9999-12-31T23:59:59.999Z');
});

test('no answer in the document has a time that is a number', () => {
  const found: string[] = [];
  const walk = (node: unknown, path: string): void => {
    if (typeof node !== 'object' || node === null) return;
    if ('properties' in node) {
      for (const [name, field] of Object.entries(node.properties as Record<string, { type?: unknown }>)) {
        const isTime = /(^at|At|^since|^from|^to|^until)$/.test(name);
        if (isTime && ['integer', 'number'].includes(String(field.type))) found.push(`${path}.${name}`);
      }
    }
    for (const [name, below] of Object.entries(node)) walk(below, `${path}/${name}`);
  };
  const document = openapi('0.0.0') as { components: { schemas: Record<string, unknown> } };
  for (const [name, component] of Object.entries(document.components.schemas)) {
    if (!name.endsWith('Input')) walk(component, name);
  }
  expect(found).toEqual([]);
  expect(document.components.schemas['Time']).toMatchObject({ type: 'string', format: 'date-time' });
});
