import { describe, expect, it } from 'vitest';
import { monitorSpec } from './monitor.ts';
import { fieldErrors } from './rest/field-errors.ts';

type Fields = Record<string, unknown>;
const http = (settings: Fields = {}, more: Fields = {}) => ({
  kind: 'http',
  name: 'shop',
  ...more,
  settings: { url: 'https://shop.example/', ...settings },
});
const tcp = (settings: Fields = {}) => ({ kind: 'tcp', name: 'db', settings: { host: 'db', port: 5432, ...settings } });
const beat = (settings: Fields) => ({ kind: 'heartbeat', name: 'backup', settings });
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
    ['a header name with a colon', http({ headers: { 'a:b': 'c' } }), '/settings/headers/a:b'],
    [
      'too many headers',
      http({ headers: Object.fromEntries(Array.from({ length: 51 }, (_, i) => [`h${i}`, 'v'])) }),
      '/settings/headers',
    ],
    ['a method that is none', http({ method: 'FETCH' }), '/settings/method'],
    ['a status that is none', http({ acceptedStatus: ['600'] }), '/settings/acceptedStatus/0'],
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

  it.each(['db', 'db.example.', '_srv.example', '10.0.0.1', '::1', 'xn--bcher-kva.example'])(
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
