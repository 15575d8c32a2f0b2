import { describe, expect, test } from 'vitest';
import { proberConfig } from './prober.config.ts';

const TOCSIN_SECRET = Buffer.alloc(32).toString('base64');

describe('the settings of a prober', () => {
  test('have defaults for all but the key', () => {
    expect(proberConfig.parse({ TOCSIN_SECRET })).toMatchObject({ location: 'default', concurrency: 200 });
    expect(proberConfig.safeParse({}).error?.issues.map((issue) => issue.path[0])).toEqual(['TOCSIN_CHECKS_KEY']);
  });

  test.each([
    ['TOCSIN_LOCATION', 'Ümlaut'],
    ['TOCSIN_LOCATION', 'a.b'],
    ['TOCSIN_CONCURRENCY', '0'],
    ['TOCSIN_CONCURRENCY', '1e3'],
    ['TOCSIN_SECRET', 'short'],
  ])('refuse %s=%s', (key, value) => {
    const parsed = proberConfig.safeParse({ TOCSIN_SECRET, [key]: value });
    expect(parsed.error?.issues.map((issue) => issue.path[0])).toEqual([key]);
  });
});
