import { expect, it } from 'vitest';
import { merged } from './merged.ts';
import { emptyRow } from './row.ts';

it('a row that was run again takes the place of its own, and the others stay where they were', () => {
  const run = { machine: 'm', at: 'monday', command: 'all', seed: 1, checksPerSecond: 200 };
  const [a, b] = [emptyRow('a', 'killed'), emptyRow('b', 'killed')];
  const again = { ...emptyRow('a', 'killed'), kills: 7 };
  const fresh = emptyRow('a', 'frozen');
  const both = merged({ ...run, rows: [a, b] }, { ...run, at: 'tuesday', command: 'one', rows: [fresh, again] });
  expect(both).toEqual({ ...run, at: 'tuesday', rows: [again, b, fresh] });
});
