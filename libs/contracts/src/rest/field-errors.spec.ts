import { describe, expect, it } from 'vitest';
import { monitorSpec } from '../monitoring/monitor.ts';
import { fieldErrors, pointer } from './field-errors.ts';

function refused(spec: unknown) {
  const parsed = monitorSpec.safeParse(spec);
  return parsed.success ? [] : fieldErrors(parsed.error);
}

const http = (settings: object) => ({
  kind: 'http',
  name: 'shop',
  settings: { url: 'https://a.example', ...settings },
});

describe('field errors', () => {
  it.each([
    ['an unknown kind names kind and what there is', { kind: 'ftp' }, '/kind', /must be one of http/],
    ['no kind at all names kind', {}, '/kind', /must be one of/],
    ['a missing field is said to be required', { kind: 'http', settings: {} }, '/name', /^required$/],
    ['a missing URL names its own field', { kind: 'http', name: 'x', settings: {} }, '/settings/url', /http/],
    ['an unknown field is named itself, not its parent', http({ uri: 1 }), '/settings/uri', /^unknown field$/],
    ['a URL that is not one', http({ url: 'shop' }), '/settings/url', /http/],
    ['a header with a line break', http({ headers: { a: 'b\r\nc: d' } }), '/settings/headers/a', /line breaks/],
    ['a bad header name', http({ headers: { 'a b': 'c' } }), '/settings/headers/a b', /header name/],
    ['a step in a path is escaped (RFC 6901)', http({ 'a/b~': 1 }), '/settings/a~1b~0', /unknown field/],
    [
      'an element of a list is counted',
      http({ acceptedStatus: ['200', '2xx'] }),
      '/settings/acceptedStatus/1',
      /status/,
    ],
    [
      'a branch inside a union',
      http({ auth: { type: 'basic', username: 'u' } }),
      '/settings/auth/password',
      /required/,
    ],
    ['an unknown branch inside a union', http({ auth: { type: 'digest' } }), '/settings/auth/type', /basic, bearer/],
  ])('%s', (_rule, spec, path, message) => {
    expect(refused(spec)).toContainEqual({ path, message: expect.stringMatching(message) as string });
  });

  it('an interval below the bound says the bound', () => {
    const fields = refused({ ...http({}), interval: '500ms' });
    expect(fields).toEqual([{ path: '/interval', message: 'must be between 1s and 1d' }]);
  });

  it('of a union without a discriminator the branch that came closest is told', () => {
    const beat = (schedule: object) => ({ kind: 'heartbeat', name: 'x', settings: { schedule } });
    expect(refused(beat({ cron: 5 }))).toEqual([
      { path: '/settings/schedule/cron', message: expect.any(String) as string },
    ]);
    expect(refused(beat({ every: '0s' }))[0]?.path).toBe('/settings/schedule/every');
  });

  it('tells at most 50', () => {
    const many = Object.fromEntries(Array.from({ length: 80 }, (_, i) => [`field${i}`, 1]));
    expect(refused(http(many))).toHaveLength(50);
  });

  it('the root of a document is the empty pointer', () => {
    expect(pointer([])).toBe('');
    expect(refused('text')[0]?.path).toBe('');
  });
});
