import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '@tocsin/testing/servers';

/** A name that stands where an instrument is made, or where a family of series is spelled out. */
const MADE =
  /(?:create(?:Observable)?(?:Counter|UpDownCounter|Gauge|Histogram)|new LateCounter)\(\s*'([a-z0-9_]+)'|\bname(?::| =) '(tocsin_[a-z_]+)'/g;

/** The metrics that the code of Tocsin exports, read from its sources. */
export function exportedMetrics(): Set<string> {
  const sources = globSync(['libs/*/src/**/*.ts', 'apps/*/src/**/*.ts'], { cwd: projectRoot });
  const code = sources.filter((file) => !file.endsWith('.spec.ts'));
  return new Set(code.flatMap((file) => namesIn(readFileSync(join(projectRoot, file), 'utf8'))));
}

export function namesIn(source: string): string[] {
  return [...source.matchAll(MADE)].map(([, made, spelled]) => made ?? spelled ?? '');
}
