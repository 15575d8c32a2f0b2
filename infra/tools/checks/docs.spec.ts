import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { expect, it } from 'vitest';

const root = join(import.meta.dirname, '../../..');
const decisions = join(root, 'docs/adr');

function pagesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return /^(\..*|node_modules|dist)$/.test(entry.name) ? [] : pagesBelow(path);
    return entry.name.endsWith('.md') ? [path] : [];
  });
}

it('each decision has a number of its own, the same in its name and its title', () => {
  const files = readdirSync(decisions).toSorted();
  const expected = files.map((_, n) => String(n + 1).padStart(3, '0'));
  expect(files.map((file) => file.slice(0, 3))).toEqual(expected);
  for (const file of files) {
    expect(readFileSync(join(decisions, file), 'utf8')).toMatch(new RegExp(`^# ${Number(file.slice(0, 3))}\\. `));
  }
});

it('a link to a file of the repository leads to one', () => {
  const broken = pagesBelow(root).flatMap((page) =>
    [...readFileSync(page, 'utf8').matchAll(/\]\(([^)#\s]+)[^)]*\)/g)]
      .map(([, target = '']) => target)
      .filter((target) => !/^[a-z]+:/.test(target) && !existsSync(join(dirname(page), target)))
      .map((target) => `${relative(root, page)}: ${target}`),
  );
  expect(broken).toEqual([]);
});
