import { newId } from '@tocsin/core';
import { expect, it } from 'vitest';
import { newerThan, revisedOf } from './revised.ts';

it('configurations are told from what is none, whatever else a later version says in them', () => {
  const later = { id: newId(), revision: 3, spec: { kind: 'of a later version' } };
  const gone = { id: newId(), revision: 4, deleted: true };
  expect(revisedOf([later, null, 'text', { id: 'x', revision: 1 }, { id: newId(), revision: '1' }, gone])).toEqual([
    later,
    gone,
  ]);
});

it('what is known already is left out', () => {
  const [a, b, c] = [
    { id: newId(), revision: 2 },
    { id: newId(), revision: 2 },
    { id: newId(), revision: 2 },
  ];
  const known = new Map([
    [a.id, 1],
    [b.id, 2],
  ]);
  expect(newerThan([a, b, c], known)).toEqual([a, c]);
});
