import { describe, expect, it } from 'vitest';
import { destinationOf, differenceOf } from './secret-destination.ts';

const http = (settings: object) => ({ kind: 'http', name: 'm', settings: { url: 'https://a.example/x', ...settings } });
const tcp = (settings: object) => ({ kind: 'tcp', name: 'm', settings: { host: 'a.example', port: 25, ...settings } });
const email = (smtp: object) => ({
  kind: 'email',
  name: 'c',
  settings: { from: 'a@a.example', to: ['b@a.example'], smtp: { host: 'mail.example', port: 587, ...smtp } },
});
const webhook = (url: string, more: object = {}) => ({ kind: 'webhook', name: 'c', settings: { url, ...more } });
const hook = 'https://a.example/x';
const ca = '-----BEGIN CERTIFICATE-----\nx';

const moved = (before: unknown, after: unknown) => differenceOf(destinationOf(before), destinationOf(after));

describe('a secret goes elsewhere, or less protected, when', () => {
  it.each([
    ['the host', http({}), http({ url: 'https://b.example/x' }), 'the origin of url'],
    ['a host below it', http({}), http({ url: 'https://a.example.evil/x' }), 'the origin of url'],
    ['the port', http({}), http({ url: 'https://a.example:8443/x' }), 'the origin of url'],
    ['the scheme', http({}), http({ url: 'http://a.example/x' }), 'the origin of url'],
    ['the scheme, for the better', http({ url: 'http://a.example/x' }), http({}), 'the origin of url'],
    ['verification', http({}), http({ tls: { verify: false } }), 'tls.verify'],
    ['who is believed', http({}), http({ tls: { verify: true, ca } }), 'tls.ca'],
    ['the name asked for', http({}), http({ tls: { verify: true, serverName: 'b.example' } }), 'tls.serverName'],
    ['the site behind the address', http({}), http({ headers: { host: 'b.example' } }), 'headers.Host'],
    ['the kind', tcp({}), http({}), 'kind'],
    ['the host of TCP', tcp({}), tcp({ host: 'b.example' }), 'host'],
    ['the port of TCP', tcp({}), tcp({ port: 26 }), 'port'],
    ['TLS of TCP', tcp({ tls: {} }), tcp({}), 'tls'],
    ['the verification of TCP', tcp({ tls: {} }), tcp({ tls: { verify: false } }), 'tls.verify'],
    ['the mail server', email({}), email({ host: 'evil.example' }), 'smtp.host'],
    ['its port', email({}), email({ port: 25 }), 'smtp.port'],
    ['its security', email({}), email({ security: 'none' }), 'smtp.security'],
    ['its verification', email({}), email({ verify: false }), 'smtp.verify'],
    ['the receiver', webhook('https://a.example/x'), webhook('https://b.example/x'), 'the origin of url'],
    [
      'a sealed receiver',
      webhook('https://a.example/…#sealed:v2:x'),
      webhook('http://a.example/'),
      'the origin of url',
    ],
  ])('%s changes', (_, before, after, what) => {
    expect(moved(before, after)).toBe(what);
  });
});

describe('a secret goes where it went when', () => {
  it.each([
    ['the host is written otherwise', http({}), http({ url: 'https://A.EXAMPLE/x' })],
    ['the default port is written out', http({}), http({ url: 'https://a.example:443/x' })],
    ['the path changes', http({}), http({ url: 'https://a.example/other?q=1' })],
    ['a default is written out', http({}), http({ tls: { verify: true }, redirects: { follow: true, max: 5 } })],
    ['a default of mail is written out', email({}), email({ security: 'starttls', verify: true })],
    ['the mail server is written otherwise', email({}), email({ host: 'MAIL.example' })],
    ['what is sent besides changes', http({}), http({ method: 'POST', body: 'x', headers: { 'X-A': 'b' } })],
    ['what is judged of the certificate changes', tcp({ tls: {} }), tcp({ tls: { minDaysLeft: 9 } })],
    ['a default of a webhook is written out', webhook(hook), webhook(hook, { tls: { verify: true } })],
    ['the user changes', email({ username: 'a' }), email({ username: 'b' })],
    ['the kept site is written otherwise', http({ headers: { Host: 'b' } }), http({ headers: { host: 'B' } })],
    ['a sealed receiver stays', webhook('https://a.example/…#sealed:v2:x'), webhook('https://a.example/y')],
  ])('%s', (_, before, after) => {
    expect(moved(before, after)).toBeUndefined();
  });
});
