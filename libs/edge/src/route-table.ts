import type { Route } from '@tocsin/contracts';

/** Which methods a service offers at which path. */
export class RouteTable {
  private readonly rows: readonly { method: string; path: RegExp }[];

  constructor(routes: Readonly<Record<string, Route>>) {
    this.rows = Object.values(routes).map(({ method, path }) => ({
      method,
      path: new RegExp(`^${path.replaceAll(/\{\w+\}/g, '[^/]+')}/?$`),
    }));
  }

  /** The methods that are offered at a path; empty where there is nothing. */
  methodsAt(path: string): string[] {
    const methods = new Set(this.rows.filter((row) => row.path.test(path)).map(({ method }) => method));
    if (methods.has('GET')) methods.add('HEAD');
    return [...methods].toSorted();
  }
}
