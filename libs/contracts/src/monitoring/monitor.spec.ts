import { certificate } from '@tocsin/testing';
import { describe, expect, it } from 'vitest';
import { fieldErrors } from '../rest/field-errors.ts';
import { HIDDEN } from '../schema/fields.ts';
import { monitorSpec } from './monitor.ts';

type Fields = Record<string, unknown>;
const http = (settings: Fields = {}, more: Fields = {}) => ({
  kind: 'http',
  name: 'shop',
  ...more,
  settings: { url: 'https://shop.example/', ...settings },
});
const tcp = (settings: Fields = {}) => ({ kind: 'tcp', name: 'db', settings: { host: 'db', port: 5432, ...settings } });
const beat = (settings: Fields) => ({ kind: 'heartbeat', name: 'backup', settings });
const basic = (username: string, password: string) => http({ auth: { type: 'basic', username, password } });
const bearer = (token: string) => http({ auth: { type: 'bearer', token } });
const { cert } = await certificate('valid');
const UNREADABLE = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
const assertion = (of: Fields) => http({ assertions: [of] });

function pathsOf(spec: unknown): string[] {
  const parsed = monitorSpec.safeParse(spec);
  return parsed.success ? [] : fieldErrors(parsed.error).map(({ path }) => path);
}

describe('a monitor', () => {
  it('needs little: the rest has defaults', () => {
    expect(monitorSpec.parse(http())).toMatchObject({
      interval: '1m',
      timeout: '10s',
      confirm: true,
      paused: false,
      locations: ['default'],
      quorum: 1,
      settings: { method: 'GET', acceptedStatus: ['200-299'], tls: { verify: true }, maxBodyBytes: 1_048_576 },
    });
    expect(monitorSpec.parse(tcp()).settings).toEqual({ host: 'db', port: 5432, ipFamily: 'any' });
    expect(monitorSpec.parse(beat({ schedule: { cron: '0 3 * * *' } })).settings).toEqual({
      schedule: { cron: '0 3 * * *', timezone: 'UTC' },
      grace: '1m',
    });
  });

  it('parsed again is the same', () => {
    for (const spec of [http({ headers: { a: 'b' } }), tcp(), beat({ schedule: { every: '1h' } })]) {
      const once = monitorSpec.parse(spec);
      expect(monitorSpec.parse(once)).toEqual(once);
    }
  });

  it.each<[why: string, spec: unknown, path: string]>([
    ['an interval below the bound', http({}, { interval: '999ms' }), '/interval'],
    ['an interval above the bound', http({}, { interval: '2d' }), '/interval'],
    ['a timeout longer than the interval', http({}, { interval: '20s', timeout: '21s' }), '/timeout'],
    ['more agreement than locations', http({}, { locations: ['a', 'b'], quorum: 3 }), '/quorum'],
    ['a location twice', http({}, { locations: ['a', 'a'] }), '/locations'],
    ['a location that is no part of a subject', http({}, { locations: ['a.>'] }), '/locations/0'],
    ['a name with a line break', http({}, { name: 'a\nb' }), '/name'],
    ['a name that is too long', http({}, { name: 'x'.repeat(121) }), '/name'],
    ['a channel that is no identifier', http({}, { channels: ['x'] }), '/channels/0'],
    ['too many tags', http({}, { tags: Array.from({ length: 21 }, (_, i) => `t${i}`) }), '/tags'],
    ['an unknown field', http({}, { intervall: '1m' }), '/intervall'],
    ['an unknown field of the settings', http({ followRedirects: true }), '/settings/followRedirects'],
    ['an unknown field deep inside', http({ tls: { verify: true, insecure: true } }), '/settings/tls/insecure'],
    ['a URL of another protocol', http({ url: 'file:///etc/passwd' }), '/settings/url'],
    ['credentials in the URL', http({ url: 'https://u:p@shop.example/' }), '/settings/url'],
    ['a user in the URL', http({ url: 'https://u@shop.example/' }), '/settings/url'],
    ['a header value with a line break', http({ headers: { a: 'b\r\nHost: evil' } }), '/settings/headers/a'],
    ['a header value in curly quotes', http({ headers: { a: '“b”' } }), '/settings/headers/a'],
    ['a token with its line break', bearer('abc.def\n'), '/settings/auth/token'],
    ['a token after a space', bearer(' abc'), '/settings/auth/token'],
    ['a token with a line break in it', bearer('abc\ndef'), '/settings/auth/token'],
    ['a token with a letter beyond Latin-1', bearer('abc’def'), '/settings/auth/token'],
    ['a token that is too long', bearer('x'.repeat(4097)), '/settings/auth/token'],
    ['no token', bearer(''), '/settings/auth/token'],
    ['a password with a line break', basic('u', 'a\nb'), '/settings/auth/password'],
    ['a password with a tab', basic('u', 'a\tb'), '/settings/auth/password'],
    ['a password that is too long', basic('u', 'x'.repeat(4097)), '/settings/auth/password'],
    ['a user name with a line break', basic('u\n', 'p'), '/settings/auth/username'],
    ['a key that is none', http({ tls: { cert: UNREADABLE, key: 'x' } }), '/settings/tls/key'],
    ['an authority that cannot be read', http({ tls: { ca: UNREADABLE } }), '/settings/tls/ca'],
    ['a certificate that cannot be read', tcp({ tls: { cert: UNREADABLE } }), '/settings/tls/cert'],
    ['a certificate without its key', http({ tls: { cert } }), '/settings/tls/key'],
    ['a key without its certificate', tcp({ tls: { key: HIDDEN } }), '/settings/tls/cert'],
    ['bytes that are none', tcp({ sendHex: '0g' }), '/settings/sendHex'],
    ['half a byte', tcp({ expectHex: '00f' }), '/settings/expectHex'],
    ['too many bytes', tcp({ expectHex: '00'.repeat(1001) }), '/settings/expectHex'],
    ['three colons as a host', tcp({ host: ':::' }), '/settings/host'],
    ['a server name with a space', tcp({ tls: { serverName: 'a b' } }), '/settings/tls/serverName'],
    ['a header name with a colon', http({ headers: { 'a:b': 'c' } }), '/settings/headers/a:b'],
    [
      'too many headers',
      http({ headers: Object.fromEntries(Array.from({ length: 51 }, (_, i) => [`h${i}`, 'v'])) }),
      '/settings/headers',
    ],
    ['a method that is none', http({ method: 'FETCH' }), '/settings/method'],
    ['a status that is none', http({ acceptedStatus: ['600'] }), '/settings/acceptedStatus/0'],
    ['a status that is never the last one', http({ acceptedStatus: ['200', '101'] }), '/settings/acceptedStatus/1'],
    ['statuses from such a one on', http({ acceptedStatus: ['100-299'] }), '/settings/acceptedStatus/0'],
    ['no status at all', http({ acceptedStatus: [] }), '/settings/acceptedStatus'],
    ['a certificate that is none', http({ tls: { ca: 'x' } }), '/settings/tls/ca'],
    ['a body limit above the bound', http({ maxBodyBytes: 10_485_761 }), '/settings/maxBodyBytes'],
    ['too many redirects', http({ redirects: { max: 21 } }), '/settings/redirects/max'],
    ['an unknown assertion', assertion({ type: 'dns' }), '/settings/assertions/0/type'],
    [
      'an assertion on the time without a bound',
      assertion({ type: 'response_time' }),
      '/settings/assertions/0/lessThan',
    ],
    ['a port that is none', tcp({ port: 65_536 }), '/settings/port'],
    ['a host with a path', tcp({ host: 'db/x' }), '/settings/host'],
    ['HTTP settings for TCP', tcp({ url: 'https://shop.example/' }), '/settings/url'],
    ['a heartbeat without a schedule', beat({}), '/settings/schedule'],
    ['a heartbeat that never comes', beat({ schedule: { every: '0s' } }), '/settings/schedule/every'],
    ['an interval for a heartbeat', { ...beat({ schedule: { every: '1h' } }), interval: '1m' }, '/interval'],
  ])('refuses %s, and names the field', (_, spec, path) => {
    expect(pathsOf(spec)).toContain(path);
  });

  it('a short interval may have the default timeout', () => {
    expect(pathsOf(http({}, { interval: '5s' }))).toEqual([]);
  });

  it.each([
    ['a long password', basic('u', 'x'.repeat(4096))],
    ['a long token', bearer('x'.repeat(4096))],
    ['an empty password', basic('key_123', '')],
    ['an empty user name', basic('', 'key_123')],
    ['neither', basic('', '')],
    ['a password beyond Latin-1', basic('ü', 'пароль’')],
    ['a header of Latin-1', http({ headers: { a: 'ü' } })],
    ['a token that is hidden', bearer('********')],
    ['bytes', tcp({ sendHex: '00 ff\n0D0a', expectHex: '00' })],
    ['a server name with other letters', http({ tls: { serverName: 'bücher.example' } })],
  ])('takes %s', (_, spec) => {
    expect(pathsOf(spec)).toEqual([]);
  });

  it('says of a header what it can not carry', () => {
    const said = (value: string) => monitorSpec.safeParse(http({ headers: { a: value } })).error?.issues[0]?.message;
    expect(said('“b”')).toBe('holds "“" (U+201C), which a header can not carry: it takes Latin-1 alone');
    expect(said('a\nb')).toBe('must not contain line breaks');
    expect(said('a\u0001b')).toBe('must not contain control characters (U+0001)');
  });

  it.each(['db', 'db.example.', '_srv.example', '10.0.0.1', '::1', 'xn--bcher-kva.example', 'bücher.example'])(
    'takes the host %s',
    (host) => {
      expect(pathsOf(tcp({ host }))).toEqual([]);
    },
  );

  it('takes long hosts that match nothing in linear time', () => {
    const before = performance.now();
    expect(pathsOf(tcp({ host: `${'a'.repeat(252)}!` }))).toEqual(['/settings/host']);
    expect(pathsOf(tcp({ host: `${'a-'.repeat(126)}!` }))).toEqual(['/settings/host']);
    expect(performance.now() - before).toBeLessThan(200);
  });
});
