import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { describe, expect, it } from 'vitest';
import manifest from '../../../../package.json' with { type: 'json' };
import { z } from 'zod';
import { monitorSpec } from '../monitoring/monitor.ts';
import { examples } from './examples.ts';
import { openapi } from './openapi.ts';
import type { Route } from './route.ts';
import { routes } from './routes.ts';

const committed = fileURLToPath(new URL('../../../../docs/openapi.json', import.meta.url));
const document = openapi(manifest.version) as {
  paths: Record<
    string,
    Record<string, { operationId: string; security: object[]; parameters: { name: string; in: string }[] }>
  >;
  components: { schemas: Record<string, unknown> };
};
const all = Object.entries(routes as Readonly<Record<string, Route>>);

describe('the OpenAPI document', () => {
  it('is the one that is committed (after a change of the API: npx vitest run libs/contracts/src/rest/openapi -u)', async () => {
    const options = await resolveConfig(committed);
    const text = await format(JSON.stringify(document), { ...options, parser: 'json' });
    await expect(text).toMatchFileSnapshot(committed);
  });

  it('describes every route, and no other', () => {
    const described = Object.values(document.paths).flatMap((path) =>
      Object.values(path).map((one) => one.operationId),
    );
    expect(described.toSorted()).toEqual(all.map(([name]) => name).toSorted());
  });

  it('names every component that it refers to, and refers to every one that it names', () => {
    const references = [...JSON.stringify(document).matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(
      ([, name]) => name!,
    );
    expect(new Set(references)).toEqual(new Set(Object.keys(document.components.schemas)));
  });

  it('has an example of each body, and each is one that the route takes', () => {
    const taking = all.filter(([, { body }]) => !(body instanceof z.ZodUndefined));
    for (const [name, { body, examples = {} }] of taking) {
      const refused = Object.entries(examples).filter(([, value]) => !body.safeParse(value).success);
      expect([name, refused, Object.keys(examples).length > 0]).toEqual([name, [], true]);
    }
  });

  it('has patches as examples that make a whole of the first monitor', () => {
    for (const patch of Object.values(examples.monitorPatch)) {
      const patched = { ...examples.monitors['A website'], ...patch, description: '' };
      expect(monitorSpec.safeParse(patched).error).toBeUndefined();
    }
  });

  it('names the role that each operation needs, where a program can read it', () => {
    const described = Object.values(document.paths).flatMap((path) => Object.values(path));
    const roles = Object.fromEntries(described.map(({ operationId, security }) => [operationId, security]));
    for (const [name, { role }] of all) {
      expect([name, roles[name]]).toEqual([name, role === 'anyone' ? [] : [{ token: [role] }]]);
    }
  });

  it('has a parameter for each place in a path', () => {
    for (const [path, operations] of Object.entries(document.paths)) {
      const places = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      for (const { parameters } of Object.values(operations)) {
        const given = parameters.filter((one) => one.in === 'path').map((one) => one.name);
        expect(given).toEqual(places);
      }
    }
  });
});

describe('the route table', () => {
  it('has each method and path once', () => {
    const rows = all.map(([, route]) => `${route.method} ${route.path}`);
    expect(new Set(rows).size).toBe(rows.length);
  });

  it('lets nobody change anything without a role, but for heartbeats, whose key proves itself', () => {
    const open = all.filter(([, route]) => route.role === 'anyone').map(([, route]) => route.path);
    expect(open.every((path) => path.startsWith('/v1/heartbeats/{key}'))).toBe(true);
    const viewers = all.filter(([, route]) => route.role === 'viewer').map(([, route]) => route.method);
    expect(new Set(viewers)).toEqual(new Set(['GET']));
  });
});
