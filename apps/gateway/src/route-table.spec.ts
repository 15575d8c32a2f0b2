import 'reflect-metadata';
import { type RouteName, routes } from '@tocsin/contracts';
import { RouteTable, ServedRoute } from '@tocsin/edge';
import { describe, expect, it } from 'vitest';
import { restControllers } from './gateway.module.ts';

const served = restControllers.flatMap(({ prototype }) =>
  Object.getOwnPropertyNames(prototype)
    .map(
      (name) =>
        Reflect.getMetadata(ServedRoute.KEY, (prototype as unknown as Record<string, object>)[name]!) as unknown,
    )
    .filter((route) => route !== undefined),
);

const table = new RouteTable(routes);

describe('the route table', () => {
  it('every row is served, once, and nothing else is', () => {
    const names = Object.keys(routes) as RouteName[];
    expect(served).toHaveLength(names.length);
    for (const name of names) expect(served).toContain(routes[name]);
  });

  it('knows what is offered at a path', () => {
    expect(table.methodsAt('/v1/monitors')).toEqual(['GET', 'HEAD', 'POST']);
    expect(table.methodsAt('/v1/monitors/x')).toEqual(['DELETE', 'GET', 'HEAD', 'PATCH', 'PUT']);
    expect(table.methodsAt('/v1/monitors/x/pause')).toEqual(['POST']);
    expect(table.methodsAt('/v1/monitors/x/y/z')).toEqual([]);
    expect(table.methodsAt('/')).toEqual([]);
  });
});
