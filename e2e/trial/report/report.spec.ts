import { describe, expect, it } from 'vitest';
import { asJson } from './json.ts';
import { asMarkdown } from './markdown.ts';
import { replaced } from './readme.ts';
import { emptyRow, type Run } from './row.ts';
import { asText } from './text.ts';

const bad = { ...emptyRow('one | prober', 'killed'), kills: 10, broken: ['windows missed: 3, promised at most 0'] };
const run: Run = {
  rows: [emptyRow('one gateway', 'frozen'), bad],
  machine: 'a machine, 2 cores',
  at: '2026-11-22',
  command: 'npm run drill',
  seed: 7,
  checksPerSecond: 200,
};

describe('the report', () => {
  it('has a line per row, in columns, and names each broken promise', () => {
    const [heading, first, second, ...rest] = asText(run).split('\n');
    expect(heading!.startsWith('failure injected')).toBe(true);
    expect(first).toMatch(/^one gateway \(frozen\) .* kept$/);
    expect(second).toMatch(/^one \| prober \(killed\) .* 1 broken$/);
    expect(rest).toEqual(['BROKEN  one | prober (killed): windows missed: 3, promised at most 0']);
  });

  it('says in Markdown how it was made, on what, when, and from which seed', () => {
    const text = asMarkdown(run);
    for (const part of ['`npm run drill`', 'seed 7', '2026-11-22', 'a machine, 2 cores', '200 checks/s']) {
      expect(text).toContain(part);
    }
    expect(text).toContain('| one \\| prober (killed) |');
    const widths = text
      .split('\n')
      .filter((line) => line.startsWith('|'))
      .map((line) => line.split(/(?<!\\)\|/).length);
    expect(new Set(widths).size).toBe(1);
  });

  it('gives programs every figure', () => {
    expect(JSON.parse(asJson(run))).toEqual(run);
  });

  it('replaces what is between the two marks of a page, and nothing else', () => {
    const page = 'a\n<!-- drill: begin -->\nold\n<!-- drill: end -->\nb\n';
    const once = replaced(page, 'drill', 'new $1\n');
    expect(once).toBe('a\n<!-- drill: begin -->\n\nnew $1\n\n<!-- drill: end -->\nb\n');
    expect(replaced(once, 'drill', 'new $1\n')).toBe(once);
  });

  it('refuses a page without the marks, or with too many', () => {
    const end = '<!-- drill: end -->';
    const begin = '<!-- drill: begin -->';
    for (const page of ['', begin, end, `${end}${begin}`, `${begin}${begin}${end}`, `${begin}${end}${end}`]) {
      expect(() => replaced(page, 'drill', 'new')).toThrow('each once');
    }
  });
});
