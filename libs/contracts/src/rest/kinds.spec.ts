import { describe, expect, it } from 'vitest';
import { channelSpec } from '../notifications/channel.ts';
import { monitorSpec } from '../monitoring/monitor.ts';
import { allKinds } from './kinds.ts';

interface Schema {
  title?: string;
  description?: string;
  format?: string;
  writeOnly?: boolean;
  properties?: Record<string, Schema>;
  anyOf?: Schema[];
  oneOf?: Schema[];
  items?: Schema;
}

const { monitors, channels } = allKinds();
const kinds = [...monitors, ...channels].map((one) => [one.kind, one] as const);

/** The fields of a schema, however deep, with their paths. */
function fieldsIn(schema: Schema, at = ''): [path: string, Schema][] {
  const inner = [...(schema.anyOf ?? []), ...(schema.oneOf ?? []), ...(schema.items ? [schema.items] : [])];
  return [
    ...inner.flatMap((one) => fieldsIn(one, at)),
    ...Object.entries(schema.properties ?? {}).flatMap(([name, one]): [string, Schema][] => [
      [`${at}/${name}`, one],
      ...fieldsIn(one, `${at}/${name}`),
    ]),
  ];
}

describe('the schemas of kinds', () => {
  it.each(kinds)('%s: every field has a title, and every setting a description', (_, { settings }) => {
    const fields = fieldsIn(settings);
    expect(fields.length).toBeGreaterThan(0);
    expect(fields.filter(([, { title }]) => !title).map(([path]) => path)).toEqual([]);
    const top = Object.entries((settings as Schema).properties ?? {});
    expect(top.filter(([, { description }]) => !description).map(([name]) => name)).toEqual([]);
  });

  it.each(kinds)(
    '%s: every secret is write-only, and every field that sounds like one is a secret',
    (_, { settings }) => {
      const sounds = /pass(word|phrase)|secret|token|credential|community|(^|\/|api|private|auth|priv|routing)key$/i;
      const open = fieldsIn(settings).filter(([path, { writeOnly }]) => sounds.test(path) && writeOnly !== true);
      expect(open.map(([path]) => path)).toEqual([]);
    },
  );

  it.each(kinds)('%s: its examples work as they are', (_, { examples }) => {
    expect(Object.keys(examples)).not.toEqual([]);
    for (const example of Object.values(examples)) {
      expect([monitorSpec, channelSpec].some((schema) => schema.safeParse(example).success)).toBe(true);
    }
  });

  it('name secrets as passwords, and derive a title from a name', () => {
    const fields = new Map(kinds.flatMap(([kind, { settings }]) => fieldsIn(settings, kind)));
    expect(fields.get('webhook/secret')).toMatchObject({ title: 'Secret', format: 'password', writeOnly: true });
    expect(fields.get('http/tls/key')).toMatchObject({ title: 'Private key', format: 'password' });
    expect(fields.get('http/acceptedStatus')).toMatchObject({ title: 'Accepted status' });
  });
});
