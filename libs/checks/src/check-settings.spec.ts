import { type MonitorSpecInput, monitorSpec } from '@tocsin/contracts';
import { describe, expect, test } from 'vitest';
import { checkSettings } from './check-settings.ts';

type HttpSettings = Extract<MonitorSpecInput, { kind: 'http' }>['settings'];

function errors(settings: Partial<HttpSettings>) {
  const input: MonitorSpecInput = { kind: 'http', name: 'a', settings: { url: 'https://a.example/', ...settings } };
  return checkSettings(monitorSpec.parse(input));
}

describe('settings that a schema can not judge', () => {
  test('are fine as most people write them', () => {
    expect(
      errors({
        headers: { Authorization: 'x' },
        assertions: [
          { type: 'body', op: 'matches', value: '^ok$' },
          { type: 'json', path: '$.status', op: 'equals', value: 'ok' },
          { type: 'header', name: 'etag', op: 'exists' },
          { type: 'certificate', minDaysLeft: 14 },
        ],
      }),
    ).toEqual([]);
  });

  test('of a user name: a colon would end it', () => {
    expect(errors({ auth: { type: 'basic', username: 'a:b', password: 'c' } })).toEqual([
      { path: '/settings/auth/username', message: 'must not contain ":"' },
    ]);
  });

  test('of tcp: text and bytes are not given both', () => {
    const input: MonitorSpecInput = {
      kind: 'tcp',
      name: 'a',
      settings: {
        host: 'a.example',
        port: 1,
        send: 'a',
        sendHex: '00',
        expect: 'b',
        expectHex: '01',
      },
    };
    expect(checkSettings(monitorSpec.parse(input)).map(({ path }) => path)).toEqual([
      '/settings/sendHex',
      '/settings/expectHex',
    ]);
  });

  test('name each wrong field by its path', () => {
    const found = errors({
      assertions: [
        { type: 'body', op: 'matches', value: '(a' },
        { type: 'body', op: 'contains', value: '(a' },
        { type: 'json', path: '$[', op: 'exists' },
        { type: 'header', name: 'x', op: 'contains' },
        { type: 'header', name: 'x', op: 'absent', value: 'y' },
      ],
    });
    expect(found.map(({ path }) => path)).toEqual([
      '/settings/assertions/0/value',
      '/settings/assertions/2/path',
      '/settings/assertions/3/value',
      '/settings/assertions/4/value',
    ]);
    expect(found[0]!.message).toMatch(/^not a valid RE2 expression: /);
  });

  test.each<[string, Partial<HttpSettings>, string]>([
    ['a header that frames the message', { headers: { 'Content-Length': '1' } }, '/settings/headers/Content-Length'],
    [
      'credentials given twice',
      { headers: { authorization: 'x' }, auth: { type: 'bearer', token: 't' } },
      '/settings/headers/authorization',
    ],
    ['a range that ends before it starts', { acceptedStatus: ['200', '299-200'] }, '/settings/acceptedStatus/1'],
    ['a body of HEAD', { method: 'HEAD', body: 'x' }, '/settings/body'],
    [
      'an assertion on the body that HEAD does not have',
      { method: 'HEAD', assertions: [{ type: 'body', op: 'contains', value: 'x' }] },
      '/settings/assertions/0',
    ],
    [
      'an assertion on a body that is not read',
      { maxBodyBytes: 0, assertions: [{ type: 'json', path: '$', op: 'exists' }] },
      '/settings/assertions/0',
    ],
    [
      'a certificate of plain http',
      { url: 'http://a.example/', redirects: { follow: false }, assertions: [{ type: 'certificate', minDaysLeft: 1 }] },
      '/settings/assertions/0',
    ],
    ['an address of the other family', { url: 'http://[::1]/', ipFamily: '4' }, '/settings/url'],
  ])('refuse %s', (_, settings, path) => {
    expect(errors(settings).map((error) => error.path)).toEqual([path]);
  });

  test('of tcp and heartbeat monitors are judged too', () => {
    const tcp = { kind: 'tcp' as const, name: 'a', settings: { host: '127.0.0.1', port: 1, ipFamily: '6' as const } };
    expect(checkSettings(monitorSpec.parse(tcp)).map(({ path }) => path)).toEqual(['/settings/host']);
    const heartbeat = { kind: 'heartbeat' as const, name: 'a', settings: { schedule: { every: '1m' } } };
    expect(checkSettings(monitorSpec.parse(heartbeat))).toEqual([]);
  });
});
