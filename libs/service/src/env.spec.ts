import { expect, test } from 'vitest';
import { commaList, environment, requireAll, variable, wholeNumber } from './env.ts';

const schema = environment({
  size: variable('TOCSIN_SIZE', wholeNumber({ min: 2, max: 9, unit: 'shoes' }).default(3)),
  key: variable('TOCSIN_KEY', commaList.optional()),
  retry: { baseMs: variable('TOCSIN_RETRY_BASE_MS', wholeNumber({ min: 0, max: 10 })) },
});

test('a configuration has the values of its variables in the shape of its fields', () => {
  const config: { size: number; key: string[] | undefined; retry: { baseMs: number } } = schema.parse({
    TOCSIN_RETRY_BASE_MS: '7',
    TOCSIN_KEY: ' a,,b ',
    PATH: '/bin',
  });
  expect(config).toEqual({ size: 3, key: ['a', 'b'], retry: { baseMs: 7 } });
});

test.each([
  ['TOCSIN_SIZE', '1e2', 'must be a whole number of shoes'],
  ['TOCSIN_SIZE', ' 3', 'must be a whole number of shoes'],
  ['TOCSIN_SIZE', '10', 'Too big: expected number to be <=9'],
  ['TOCSIN_RETRY_BASE_MS', '-1', 'must be a whole number'],
])('%s=%s is refused under the name of the variable', (name, text, message) => {
  const { error } = schema.safeParse({ TOCSIN_RETRY_BASE_MS: '7', [name]: text });
  expect(error?.issues.map((issue) => [issue.path, issue.message])).toEqual([[[name], message]]);
});

test('a variable that another one calls for is named as missing', () => {
  const needsKey = schema.superRefine((config, context) => requireAll(context, { TOCSIN_KEY: config.key }));
  const { error } = needsKey.safeParse({ TOCSIN_RETRY_BASE_MS: '7' });
  expect(error?.issues.map((issue) => [issue.path, issue.message])).toEqual([[['TOCSIN_KEY'], 'is missing']]);
});
