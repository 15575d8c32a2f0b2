import { randomBytes } from 'node:crypto';
import { sealSecret } from '@tocsin/core';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { channelKinds } from '../notifications/channels/kinds.ts';
import { HIDDEN, secret } from './fields.ts';
import { laidOver, marked, markedFields, markOf, marks } from './marks.ts';
import { monitorKinds } from '../monitoring/kinds/kinds.ts';
import { monitorSpec } from '../monitoring/monitor.ts';
import { mapMarked, mapSecrets, type Met } from './secrets.ts';

interface JsonSchema {
  mark?: string;
  properties?: Record<string, JsonSchema>;
  additionalProperties?: JsonSchema | boolean;
  items?: JsonSchema;
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
  allOf?: JsonSchema[];
}

/** The marked fields of a schema, found in another way: in the JSON Schema that zod makes of it. */
function marksOf(schema: z.ZodType): [path: string[], mark: string][] {
  const json = z.toJSONSchema(schema, {
    io: 'input',
    unrepresentable: 'any',
    override: ({ zodSchema, jsonSchema }) => {
      const found = marks.get(zodSchema as unknown as z.ZodType);
      if (found) (jsonSchema as JsonSchema).mark = found.mark;
    },
  });
  return walk(json as JsonSchema, []);
}

function walk(json: JsonSchema, at: string[]): [string[], string][] {
  if (json.mark !== undefined) return [[at, json.mark]];
  const below = [...(json.anyOf ?? []), ...(json.oneOf ?? []), ...(json.allOf ?? [])].flatMap((one) => walk(one, at));
  const named = Object.entries(json.properties ?? {}).flatMap(([name, one]) => walk(one, [...at, name]));
  const each = typeof json.additionalProperties === 'object' ? walk(json.additionalProperties, [...at, 'any']) : [];
  return [...below, ...named, ...each, ...(json.items ? walk(json.items, [...at, '0']) : [])];
}

/** A document that holds a value at a path alone; `0` is the first of an array. */
function holding(path: string[], value: unknown): unknown {
  return path.reduceRight((inner, step) => (step === '0' ? [inner] : { [step]: inner }), value);
}

const met = (spec: unknown): Met[] => {
  const all: Met[] = [];
  mapMarked(spec, (one) => {
    all.push(one);
    return one.value;
  });
  return all;
};
const where = (spec: unknown): string[] => met(spec).map(({ path }) => path.join('.'));

describe('every kind of monitor and channel', () => {
  const kinds = Object.entries({ ...monitorKinds, ...channelKinds }).map(([kind, { spec }]) => [kind, spec] as const);

  it.each(kinds)('%s: each field that its schema marks is met, as what it is', (kind, schema) => {
    for (const [path, mark] of marksOf(schema)) {
      const [settings, ...inside] = path;
      expect(settings).toBe('settings');
      const at = mark === 'headers' ? [...inside, 'Cookie'] : inside;
      const spec = { kind, ...(holding(['settings', ...at], 'x') as object) };
      expect(met(spec).map((one) => [one.path, one.mark])).toEqual([[at, mark]]);
    }
  });

  it('has secrets where one expects them', () => {
    const found = kinds.flatMap(([kind, schema]) =>
      marksOf(schema).map(([path, mark]) => `${kind} ${path.slice(1).join('.')} ${mark}`),
    );
    expect(found).toEqual(
      expect.arrayContaining([
        'http url query',
        'http headers headers',
        'http body text',
        'http auth.password secret',
        'http auth.token secret',
        'tcp send text',
        'webhook url address',
        'webhook secret secret',
        'email smtp.password secret',
      ]),
    );
  });
});

describe('marked fields', () => {
  it('are found through lists, records, unions and what may be left out', () => {
    const schema = z.strictObject({
      settings: z
        .object({
          list: z.array(z.object({ deep: secret().optional() })),
          byName: z.record(z.string(), secret().nullable()).default({}),
          either: z.union([z.object({ a: secret() }), z.object({ b: secret() })]),
        })
        .optional(),
    });
    const fields = markedFields(schema, markOf)!.fields.get('settings')!.fields;
    expect([...fields.keys()]).toEqual(['list', 'byName', 'either']);
    expect([...fields.get('either')!.fields.keys()]).toEqual(['a', 'b']);
  });

  it('mean one thing in all kinds, or else it is not known what a patch holds', () => {
    const [a, b] = [marked('text', z.string()), secret()].map((x) => markedFields(z.object({ x }), markOf)!);
    expect(() => laidOver(a!, b!)).toThrow(/marked text in one kind and secret in another/);
  });
});

const http = (settings: object) => ({ kind: 'http', name: 'shop', settings });

describe('headers', () => {
  it('are secret where they are credentials, where the monitor says so, and where they are or stay sealed', () => {
    const headers = {
      Accept: 'text/html',
      AUTHORIZATION: 'Bearer x',
      'X-Keyboard': 'qwerty',
      'X-Team': { value: 't', secret: true },
      'X-Old-Token': sealSecret([randomBytes(32)], 'of before'),
      'X-Kept': HIDDEN,
    };
    expect(where(http({ headers }))).toEqual([
      'headers.AUTHORIZATION',
      'headers.X-Team',
      'headers.X-Old-Token',
      'headers.X-Kept',
    ]);
  });

  it('become plain text as they are kept, and are said to be secret as people write them', () => {
    const spec = http({ headers: { Cookie: 'c', 'X-Team': { value: 't', secret: true } } });
    expect(mapMarked(spec, () => '*')).toEqual(http({ headers: { Cookie: '*', 'X-Team': '*' } }));
    expect(mapMarked(spec, () => '*', { headers: 'said' })).toEqual(
      http({ headers: { Cookie: '*', 'X-Team': { value: '*', secret: true } } }),
    );
  });

  it('that keep a secret go on saying so, since by its name alone nobody would know', () => {
    const spec = http({ headers: { Cookie: HIDDEN, 'X-Team': { value: HIDDEN, secret: true } } });
    expect(mapSecrets(spec, ({ value }) => value)).toEqual(spec);
  });

  it('that are neither text nor a secret are left for the schema to refuse', () => {
    const headers = { a: 1, b: { value: 'x', secret: false }, c: { value: 'x', secret: true, more: 1 }, d: null };
    expect(mapMarked(http({ headers }), () => '*')).toEqual(http({ headers }));
    expect(monitorSpec.safeParse(http({ url: 'http://a', headers: { b: headers.b } })).success).toBe(false);
  });
});

describe('a copy with its secrets replaced', () => {
  it('has all else as it was', () => {
    const spec = http({ url: 'https://a/?q=1', body: 'b', auth: { type: 'basic', username: 'u', password: 'p' } });
    const before = structuredClone(spec);
    const hidden = mapSecrets(spec, () => '***');
    expect(spec).toEqual(before);
    expect(hidden).toEqual(
      http({ url: 'https://a/?q=1', body: 'b', auth: { type: 'basic', username: 'u', password: '***' } }),
    );
  });

  it('of a patch has them replaced too, whatever kind it is for, and what it deletes (null) stays', () => {
    const patch = { settings: { auth: { password: 'new' }, headers: null, secret: null, send: 'hello' } };
    expect(mapMarked(patch, () => '***')).toEqual({
      settings: { auth: { password: '***' }, headers: null, secret: null, send: '***' },
    });
  });

  it('keeps a member named __proto__, for the schema to refuse', () => {
    const spec = JSON.parse('{"kind":"http","settings":{"__proto__":{"auth":{"password":"p"}}}}') as object;
    expect(JSON.stringify(mapSecrets(spec, () => '***'))).toBe(JSON.stringify(spec));
  });

  it.each([[{}], [{ settings: null }], [{ settings: ['x'] }], ['text'], [null]])('where there are none: %j', (spec) => {
    expect(mapSecrets(spec, () => '***')).toBe(spec);
  });
});
