import { describe, expect, it } from 'vitest';
import { dashboards, filesIn } from './files.ts';

const all = dashboards();

describe('dashboards', () => {
  it('have the name of their file as their id', () => {
    expect(all.map(({ uid }) => `${uid}.json`)).toEqual(filesIn('grafana/dashboards'));
  });

  it.each(all.map((one) => [one.title, one] as const))(
    '%s: every panel has a description, a unit and a question',
    (_, one) => {
      const panels = one.panels.filter(({ type }) => type !== 'row');
      expect(panels.length).toBeGreaterThan(5);
      const wanting = panels.filter(
        ({ description, fieldConfig, targets = [] }) =>
          !description?.endsWith('.') || !fieldConfig?.defaults.unit || targets.length === 0,
      );
      expect(wanting.map(({ title }) => title)).toEqual([]);
    },
  );

  it.each(all.map((one) => [one.title, one] as const))('%s: no panel covers another', (_, { panels }) => {
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_cell, n) => `${x + (n % w)},${y + Math.floor(n / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
    expect(panels.every(({ gridPos: { x, w } }) => x + w <= 24)).toBe(true);
  });
});
