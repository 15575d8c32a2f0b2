import { expect, it } from 'vitest';
import { withoutQuery } from './query.ts';

it.each([
  ['https://a.example/', 'https://a.example/'],
  ['https://a.example/x?key=s3cret&b=', 'https://a.example/x?key=********&b=********'],
  ['https://a.example/?s3cret', 'https://a.example/?********'],
  ['https://a.example/?a=s3cret?b=c=d#s3cret', 'https://a.example/?a=********'],
  ['https://a.example/?&a=s3cret', 'https://a.example/?&a=********'],
  ['https://a.example/#?s3cret', 'https://a.example/'],
])('of %s a viewer sees %s', (url, shown) => {
  expect(withoutQuery(url)).toBe(shown);
});
