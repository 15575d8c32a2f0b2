import { expect, it } from 'vitest';
import { parseAddress } from './address.ts';

it('reads several hosts, credentials and the database', () => {
  expect(parseAddress('postgres://u%40x:p%3Aw@h1:1,h2,[::1]:3/db')).toEqual({
    hosts: [
      { host: 'h1', port: 1 },
      { host: 'h2', port: 5432 },
      { host: '::1', port: 3 },
    ],
    user: 'u@x',
    password: 'p:w',
    database: 'db',
    ssl: false,
  });
});

it.each([
  ['disable', false],
  ['require', { rejectUnauthorized: false }],
  ['verify-full', true],
])('takes sslmode %s', (mode, ssl) => {
  expect(parseAddress(`postgresql://h/db?sslmode=${mode}`).ssl).toEqual(ssl);
});

it('believes the given authority alone', () => {
  expect(parseAddress('postgres://h/db?sslmode=verify-full', 'PEM').ssl).toEqual({
    rejectUnauthorized: true,
    ca: 'PEM',
  });
});

it.each([
  ['nothing', ''],
  ['another scheme', 'mysql://u:secret@h/db'],
  ['no database', 'postgres://u:secret@h'],
  ['a port that is none', 'postgres://u:secret@h:99999/db'],
  ['an empty host', 'postgres://u:secret@h1:1,,h2/db'],
  ['a broken escape', 'postgres://u:secret%zz@h/db'],
  ['an unknown sslmode', 'postgres://u:secret@h/db?sslmode=maybe'],
])('refuses %s, without repeating it', (_what, url) => {
  expect(() => parseAddress(url)).toThrow(/^The database URL is not usable: (?!.*secret)/);
});
