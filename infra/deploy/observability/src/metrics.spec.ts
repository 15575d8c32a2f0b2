import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { exportedMetrics, namesIn } from './exported.ts';
import { expressions, metricsIn, rules, text } from './files.ts';

const asked = (prefix: string): string[] => [...new Set(expressions().flatMap((one) => metricsIn(one, prefix)))];

describe('metrics that rules and dashboards name', () => {
  it('are found in an expression, with what a histogram adds taken off', () => {
    const expression =
      'rate(tocsin_a_seconds_bucket[5m]) + tocsin:b:ratio5m * tocsin_c_total{d="tocsin"} + pg_tocsin_e';
    expect(metricsIn(expression, 'tocsin_')).toEqual(['tocsin_a_seconds', 'tocsin_c_total']);
  });

  it('are found in the code where they are made, over lines and by every kind of instrument', () => {
    const source = `meter\n .createObservableGauge('a', {}); createCounter(\n 'b_total'); new LateCounter('c', 'x'); // 'tocsin_d'`;
    expect(namesIn(source)).toEqual(['a', 'b_total', 'c']);
  });

  it('are exported by the code of Tocsin', () => {
    const exported = exportedMetrics();
    const named = ['tocsin_', 'process_', 'nodejs_'].flatMap(asked);
    expect(named.length).toBeGreaterThan(30);
    expect(named.filter((name) => !exported.has(name))).toEqual([]);
  });

  it('of the record are asked for by the queries of the PostgreSQL exporter', () => {
    const queries = parse(text('exporters/queries.yaml')) as Record<string, { metrics: Record<string, unknown>[] }>;
    const columns = Object.entries(queries).flatMap(([name, { metrics }]) =>
      metrics.flatMap((metric) => Object.keys(metric).map((column) => `${name}_${column}`)),
    );
    expect(asked('pg_tocsin_').filter((name) => !columns.includes(name))).toEqual([]);
  });

  it('that are recorded are recorded by a rule, and each of those is read somewhere', () => {
    const recorded = rules().flatMap(({ record }) => record ?? []);
    const read = new Set(expressions().flatMap((one) => one.match(/\btocsin:[a-z0-9_]+:[a-z0-9_]+/g) ?? []));
    expect([...read].filter((name) => !recorded.includes(name))).toEqual([]);
    expect(recorded.filter((name) => !read.has(name))).toEqual([]);
  });

  it('that every sub-service exports and nobody looks at are these', () => {
    const named = new Set([...asked('tocsin_'), ...asked('process_'), ...asked('nodejs_')]);
    // The monitors of users, given out to their own Prometheus at /v1/metrics.
    const ofUsers = /^tocsin_monitors?_(state|coverage_ratio|windows|omitted)$/;
    const unseen = [...exportedMetrics()].filter((name) => !named.has(name) && !ofUsers.test(name));
    expect(unseen.toSorted()).toEqual(['tocsin_windows_missed_total']);
  });
});
