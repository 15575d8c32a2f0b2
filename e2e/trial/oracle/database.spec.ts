import { describe, expect, it } from 'vitest';
import { urlsOf } from './database.ts';

describe('the hosts of a database', () => {
  it('are asked one by one, with the same login and name', () => {
    expect(urlsOf('postgres://u:p%40ss@h1:1,h2:2/tocsin?sslmode=disable')).toEqual([
      'postgres://u:p%40ss@h1:1/tocsin?sslmode=disable',
      'postgres://u:p%40ss@h2:2/tocsin?sslmode=disable',
    ]);
    expect(urlsOf('postgres://h1/tocsin')).toEqual(['postgres://h1/tocsin']);
  });

  it('are refused where there is none', () => {
    expect(() => urlsOf('http://h1/tocsin')).toThrow('expected postgres://');
  });
});
