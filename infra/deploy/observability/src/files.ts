import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '@tocsin/testing/servers';
import { parse } from 'yaml';

export const root = join(projectRoot, 'infra/deploy/observability');

export interface Rule {
  alert?: string;
  record?: string;
  expr: string;
  for?: string;
  labels?: { severity?: string };
  annotations?: { summary?: string; description?: string; runbook_url?: string };
}

export interface Panel {
  type: string;
  title: string;
  description?: string;
  gridPos: { x: number; y: number; w: number; h: number };
  fieldConfig?: { defaults: { unit?: string } };
  targets?: { expr: string }[];
}

export interface Dashboard {
  uid: string;
  title: string;
  panels: Panel[];
}

export function text(...path: string[]): string {
  return readFileSync(join(root, ...path), 'utf8');
}

export function filesIn(...path: string[]): string[] {
  return readdirSync(join(root, ...path)).toSorted();
}

/** Every rule for Prometheus, alerts and recorded ones. */
export function rules(): Rule[] {
  return filesIn('prometheus/rules').flatMap((file) => {
    const { groups } = parse(text('prometheus/rules', file)) as { groups: { rules: Rule[] }[] };
    return groups.flatMap((group) => group.rules);
  });
}

export function dashboards(): Dashboard[] {
  return filesIn('grafana/dashboards').map((file) => JSON.parse(text('grafana/dashboards', file)) as Dashboard);
}

/** All expressions that are sent to Prometheus: those of rules and of panels. */
export function expressions(): string[] {
  const asked = dashboards().flatMap(({ panels }) => panels.flatMap(({ targets = [] }) => targets));
  return [...rules(), ...asked].map(({ expr }) => expr);
}

/** The metrics that an expression names. What a histogram or a gauge adds to the name is taken off. */
export function metricsIn(expression: string, prefix: string): string[] {
  const names = expression.match(new RegExp(`(?<![A-Za-z0-9_:])${prefix}[a-z0-9_]+(?![a-z0-9_:])`, 'g')) ?? [];
  return names.map((name) => name.replace(/_(bucket|count|sum)$/, ''));
}
