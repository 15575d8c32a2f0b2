import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { streams } from '@tocsin/contracts';
import { projectRoot } from '@tocsin/testing/servers';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { filesIn, rules, text } from './files.ts';

const alerts = rules().filter(({ alert }) => alert !== undefined);
const names = alerts.map(({ alert }) => alert!);

describe('every alert', () => {
  it('has a name of its own', () => {
    expect(new Set(names).size).toBe(names.length);
    expect(names.filter((name) => !/^Tocsin[A-Z][A-Za-z]+$/.test(name))).toEqual([]);
  });

  it.each(alerts.map((alert) => [alert.alert!, alert] as const))(
    '%s says how bad it is and what is seen',
    (name, alert) => {
      expect(['critical', 'warning', 'none']).toContain(alert.labels?.severity);
      expect(alert.annotations?.summary).toBeTruthy();
      expect(alert.annotations?.description).toMatch(/\.$/);
      expect(alert.annotations?.runbook_url).toBe(`docs/alerts.md#${name.toLowerCase()}`);
    },
  );

  it('has its section in docs/alerts.md, and no section is left over', () => {
    const page = readFileSync(join(projectRoot, 'docs/alerts.md'), 'utf8');
    const sections = [...page.matchAll(/^### (.+)$/gm)].map(([, title]) => title!);
    expect(sections.toSorted()).toEqual(names.toSorted());
    const parts = ['Means', 'Users notice', 'Look', 'Do', 'Safe to ignore'];
    const wanting = page
      .split(/^### /m)
      .slice(1)
      .filter((section) => !parts.every((part) => section.includes(`- **${part}:** `)));
    expect(wanting).toEqual([]);
  });

  it('is looked into by addresses that the API has', () => {
    const page = readFileSync(join(projectRoot, 'docs/alerts.md'), 'utf8');
    const api = JSON.parse(readFileSync(join(projectRoot, 'docs/openapi.json'), 'utf8')) as { paths: object };
    const asked = [...page.matchAll(/\$TOCSIN(\/v1\/[A-Za-z/-]+)/g)].map(([, path]) => path!.replace('/ID', '/{id}'));
    expect(asked.length).toBeGreaterThan(10);
    expect(asked.filter((path) => !Object.hasOwn(api.paths, path))).toEqual([]);
  });

  it('has a test in which it fires and one in which it does not', () => {
    interface Check {
      expr: string;
      exp_samples?: unknown[];
    }
    const checks = filesIn('prometheus/tests').flatMap((file) => {
      const { tests } = parse(text('prometheus/tests', file)) as { tests: { promql_expr_test: Check[] }[] };
      return tests.flatMap((test) => test.promql_expr_test);
    });
    const seen = (fires: boolean) => (name: string) =>
      checks.some(({ expr, exp_samples: s = [] }) => expr.includes(`"${name}"`) && s.length > 0 === fires);
    // The one that always fires is seen alone where all is well.
    const others = names.filter((name) => name !== 'TocsinWatchdog');
    expect(others.filter((name) => !seen(true)(name))).toEqual([]);
    expect(others.filter((name) => !seen(false)(name))).toEqual([]);
  });
});

describe('bounds in rules', () => {
  const expressionOf = (name: string): string => alerts.find(({ alert }) => alert === name)?.expr ?? '';

  it('of streams are those of the streams', () => {
    const { results, commands } = streams;
    for (const { name, maxBytes } of [results, commands]) {
      expect(expressionOf('TocsinStreamFull')).toContain(`{stream_name="${name}"} > 0.8 * ${maxBytes}`);
    }
  });

  it('of shards are the default of the scheduler', () => {
    const config = readFileSync(join(projectRoot, 'apps/scheduler/src/scheduler.config.ts'), 'utf8');
    const shards = /'TOCSIN_SHARDS'.*\.default\((\d+)\)/.exec(config)?.[1];
    expect(expressionOf('TocsinShardUnheld')).toMatch(new RegExp(`< ${shards}$`));
  });
});

describe('alertmanager.yml', () => {
  it('names no alert that there is not', () => {
    const named = text('alertmanager/alertmanager.yml').match(/\bTocsin[A-Z][A-Za-z]+\b/g) ?? [];
    expect(named.filter((name) => !names.includes(name) && name !== 'TocsinInstance')).toEqual([]);
  });

  it('needs nothing of Tocsin to tell somebody', () => {
    const addresses = text('alertmanager/alertmanager.yml').match(/(?:url|smarthost|to): .+/g) ?? [];
    expect(addresses.length).toBeGreaterThan(3);
    expect(addresses.filter((one) => !one.includes('.example'))).toEqual([]);
  });
});
