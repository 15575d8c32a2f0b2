import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { mutants } from './list.ts';
import { mutate } from './mutant.ts';

const root = join(import.meta.dirname, '../../../..');

describe('the mutants', () => {
  it.each(mutants.map((mutant) => [mutant.mechanism, mutant] as const))('still fit the code: %s', (_, mutant) => {
    expect(existsSync(join(root, mutant.test))).toBe(true);
    const source = readFileSync(join(root, mutant.file), 'utf8');
    expect(mutate(mutant, source)).not.toBe(source);
    expect(readFileSync(join(root, mutant.test), 'utf8')).toContain(mutant.title ?? '');
  });

  it('are refused when their text stands in the file twice, or not at all', () => {
    const mutant = { mechanism: 'm', file: 'f', find: 'a', replace: 'b', test: 't' };
    expect(() => mutate(mutant, 'a a')).toThrow('2 times');
    expect(() => mutate(mutant, 'c')).toThrow('0 times');
  });
});
