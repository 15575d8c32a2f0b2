import { describe, expect, it } from 'vitest';
import { filled } from './template.ts';

describe('a template', () => {
  it('is filled in everywhere', () => {
    expect(filled('redirect.cfg', { plainBinds: '10.0.0.10:80' })).toContain('bind 10.0.0.10:80 transparent');
  });

  it('is not left with a hole, and takes no value that it has no place for', () => {
    expect(() => filled('redirect.cfg', {})).toThrow('{{plainBinds}}');
    expect(() => filled('redirect.cfg', { plainBinds: 'x', more: 'y' })).toThrow('no place for more');
  });
});
