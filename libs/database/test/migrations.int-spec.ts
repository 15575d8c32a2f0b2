import { expect, it } from 'vitest';
import { postgres } from '@tocsin/testing';
import { migrate, platformMigrations } from '../src/index.ts';
import { folder, fresh, open } from './harness.ts';

const FILES = {
  '001-first.sql': 'CREATE TABLE first (id int);\nINSERT INTO first VALUES (1);',
  '002-second.sql': 'ALTER TABLE first ADD name text;',
};
const NAMES = [...platformMigrations.map(({ name }) => name), '001-first', '002-second'];

it('applies everything in order, and nothing the second time', async () => {
  const { db } = await fresh();
  const directory = await folder(FILES);
  expect(await migrate(db, directory)).toEqual(NAMES);
  expect(await migrate(db, directory)).toEqual([]);
  expect(await db.query('SELECT * FROM first')).toEqual([{ id: 1, name: null }]);
});

it('applies each once when several instances start at once', async () => {
  const { url } = await fresh();
  const directory = await folder(FILES);
  const applied = await Promise.all(Array.from({ length: 4 }, () => migrate(open(url), directory)));
  expect(applied.flat().toSorted()).toEqual(NAMES.toSorted());
  expect(await open(url).query('SELECT id FROM first')).toEqual([{ id: 1 }]);
});

it('refuses a file that was changed after it was applied', async () => {
  const { db } = await fresh();
  await migrate(db, await folder(FILES));
  const changed = await folder({ ...FILES, '001-first.sql': 'CREATE TABLE other (id int);' });
  await expect(migrate(db, changed)).rejects.toMatchObject({
    code: 'invalid',
    message: expect.stringContaining('001-first was changed'),
  });
});

it('does not mind line ends', async () => {
  const { db } = await fresh();
  await migrate(db, await folder(FILES));
  const windows = { ...FILES, '001-first.sql': FILES['001-first.sql'].replaceAll('\n', '\r\n') + '\r\n' };
  expect(await migrate(db, await folder(windows))).toEqual([]);
});

it('refuses a new file that comes before an applied one', async () => {
  const { db } = await fresh();
  await migrate(db, await folder({ '002-second.sql': 'SELECT 1' }));
  await expect(migrate(db, await folder({ '001-late.sql': 'SELECT 1', '002-second.sql': 'SELECT 1' }))).rejects.toThrow(
    /001-late comes before 002-second/,
  );
});

it('leaves alone what a newer version has applied', async () => {
  const { db } = await fresh();
  await migrate(db, await folder(FILES));
  expect(await migrate(db, await folder({ '001-first.sql': FILES['001-first.sql'] }))).toEqual([]);
});

it('takes a failing file back as a whole, and goes on from there once it is corrected', async () => {
  const { db } = await fresh();
  const bad = await folder({ ...FILES, '003-bad.sql': 'CREATE TABLE third (id int); SELECT 1/0;' });
  await expect(migrate(db, bad)).rejects.toMatchObject({ details: { sqlState: '22012' } });
  expect(await db.query(`SELECT to_regclass('third') AS t`)).toEqual([{ t: null }]);
  expect(await migrate(db, await folder({ ...FILES, '003-bad.sql': 'CREATE TABLE third (id int);' }))).toEqual([
    '003-bad',
  ]);
});

it.each([
  ['a wrong name', { 'first.sql': '' }, /NNN-name/],
  ['a number used twice', { '001-a.sql': '', '001-b.sql': '' }, /number 001/],
])('refuses %s', async (_what, files, message) => {
  const { db } = await fresh();
  await expect(migrate(db, await folder(files))).rejects.toThrow(message);
});

it('creates the schema where there is none and the role may', async () => {
  const { superuserUrl } = await postgres();
  const db = open(superuserUrl, { schema: 'elsewhere' });
  expect(await migrate(db, await folder(FILES))).toEqual(NAMES);
});
