import { describe, expect, it } from 'vitest';
import { absent } from './programs.ts';

describe('what is missing', () => {
  it('is named with the package that brings it', () => {
    expect(absent([{ path: '/usr/bin/no-such-program', package: 'a-package' }])).toEqual([
      '/usr/bin/no-such-program: apt-get install a-package',
    ]);
  });

  it('is not what lies in a layer', () => {
    const layered = { path: '/programs.spec.ts', package: 'a-package' };
    expect(absent([layered])).toHaveLength(1);
    expect(absent([layered], ['/nowhere', import.meta.dirname])).toEqual([]);
  });
});
