import { routes, type Route } from '@tocsin/contracts';

const patterns = Object.values(routes as Readonly<Record<string, Route>>).map((route) => ({
  method: route.method,
  path: new RegExp(`^${route.path.replaceAll(/\{\w+\}/g, '[^/]+')}/?$`),
}));

/** The methods that are offered at a path; empty where there is nothing. */
export function methodsAt(path: string): string[] {
  const methods = new Set<string>(patterns.filter((row) => row.path.test(path)).map((row) => row.method));
  if (methods.has('GET')) methods.add('HEAD');
  return [...methods].toSorted();
}
