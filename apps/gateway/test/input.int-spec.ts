import { newId } from '@tocsin/core';
import { OtlpReceiver, until } from '@tocsin/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { startGateway } from './gateway.process.ts';
import { anHttpMonitor, type Ask, Stack } from './stack.ts';

let stack: Stack;

beforeAll(async () => {
  stack = await Stack.start();
});

const json = { 'content-type': 'application/json' };
const id = newId();
const a = anHttpMonitor;

describe('bad input gets a problem, and changes nothing', () => {
  it.each<[string, string, Ask, number, string, string?]>([
    [
      'a member that is there twice',
      'POST /v1/monitors',
      { raw: '{"kind":"http","kind":"tcp"}', headers: json },
      400,
      'invalid',
      '/kind',
    ],
    ['malformed JSON', 'POST /v1/monitors', { raw: '{"kind":', headers: json }, 400, 'invalid'],
    ['invalid UTF-8', 'POST /v1/monitors', { raw: new Uint8Array([34, 255, 34]), headers: json }, 400, 'invalid'],
    ['no body', 'POST /v1/monitors', { headers: json }, 400, 'invalid', ''],
    ['a list for an object', 'POST /v1/monitors', { json: [] }, 400, 'invalid', ''],
    ['an unknown kind', 'POST /v1/monitors', { json: { kind: 'ftp' } }, 400, 'invalid', '/kind'],
    ['a wrong type', 'POST /v1/monitors', { json: a({}, { name: 7 }) }, 400, 'invalid', '/name'],
    ['an unknown field', 'POST /v1/monitors', { json: a({ uri: 'x' }) }, 400, 'invalid', '/settings/uri'],
    ['a URL that is not one', 'POST /v1/monitors', { json: a({ url: 'shop' }) }, 400, 'invalid', '/settings/url'],
    [
      'a URL of another protocol',
      'POST /v1/monitors',
      { json: a({ url: 'file:///etc' }) },
      400,
      'invalid',
      '/settings/url',
    ],
    [
      'an interval below the bound',
      'POST /v1/monitors',
      { json: a({}, { interval: '10ms' }) },
      400,
      'invalid',
      '/interval',
    ],
    [
      'header injection',
      'POST /v1/monitors',
      { json: a({ headers: { x: 'a\r\nb: c' } }) },
      400,
      'invalid',
      '/settings/headers/x',
    ],
    ['U+0000', 'POST /v1/monitors', { json: a({ body: 'a\u0000b' }) }, 400, 'invalid', '/settings/body'],
    [
      'a deep patch',
      `PATCH /v1/monitors/${id}`,
      { raw: '{"a":'.repeat(4e4) + '1' + '}'.repeat(4e4), headers: json },
      400,
      'invalid',
    ],
    ['__proto__', `PATCH /v1/monitors/${id}`, { raw: '{"__proto__":{}}', headers: json }, 400, 'invalid', ''],
    ['a body where none is taken', `POST /v1/monitors/${id}/pause`, { json: { a: 1 } }, 400, 'invalid', ''],
    [
      'a text body',
      'POST /v1/monitors',
      { raw: 'hello', headers: { 'content-type': 'text/plain' } },
      415,
      'unsupported_type',
    ],
    [
      'another charset',
      'POST /v1/monitors',
      { raw: '{}', headers: { 'content-type': 'application/json; charset=latin1' } },
      415,
      'unsupported_type',
    ],
    ['a body that says no type', 'POST /v1/monitors', { raw: new Uint8Array([123, 125]) }, 415, 'unsupported_type'],
    ['a monitor over 256 KiB', 'POST /v1/monitors', { json: { x: 'x'.repeat(262_144) } }, 413, 'too_large'],
    ['a body over 1 MiB', 'POST /v1/channels', { json: { x: 'x'.repeat(1_048_577) } }, 413, 'too_large'],
    ['a bad limit', 'GET /v1/monitors?limit=0', {}, 400, 'invalid', '/limit'],
    ['an unknown parameter', 'GET /v1/monitors?colour=red', {}, 400, 'invalid', '/colour'],
    ['a bad cursor', 'GET /v1/monitors?cursor=nonsense', {}, 400, 'invalid'],
    ['a NUL in a query', 'GET /v1/monitors?q=%00', {}, 400, 'invalid', '/q'],
    ['a bad identifier', 'GET /v1/monitors/7', {}, 400, 'invalid', '/id'],
    ['an address that does not decode', 'GET /v1/monitors/%zz', {}, 400, 'invalid'],
    ['a bad time', `GET /v1/monitors/${id}/uptime?from=yesterday`, {}, 400, 'invalid', '/from'],
    ['a range that ends before it begins', `GET /v1/monitors/${id}/uptime?from=9&to=5`, {}, 400, 'invalid', '/from'],
    ['a range of too many steps', `GET /v1/monitors/${id}/rollups?from=0&step=5m`, {}, 400, 'invalid', '/step'],
    ['a bad If-Match', `DELETE /v1/monitors/${id}`, { headers: { 'if-match': '7' } }, 400, 'invalid', '/If-Match'],
    [
      'a bad Idempotency-Key',
      'POST /v1/monitors',
      { json: a(), headers: { 'idempotency-key': 'a b' } },
      400,
      'invalid',
      '/Idempotency-Key',
    ],
    ['a bad Last-Event-ID', 'GET /v1/events', { headers: { 'last-event-id': 'x' } }, 400, 'invalid', '/Last-Event-ID'],
    ['what is not there', `GET /v1/monitors/${id}`, {}, 404, 'not_found'],
    ['an unknown path', 'GET /v1/nothing', {}, 404, 'not_found'],
    ['an unknown dead letter', 'GET /v1/dead-letters/4711', {}, 404, 'not_found'],
    ['an unknown operation', `GET /v1/operations/${id}`, {}, 404, 'not_found'],
  ])('%s', async (...row) => {
    const [, request, o, status, code, path] = row;
    const before = stack.owners.monitors.seen.length;
    const [method, address] = request.split(' ') as [string, string];
    const reply = await stack.ask(method, address, o);
    expect(reply.text).toContain(`"code":"${code}"`);
    expect(reply.status).toBe(status);
    expect(reply.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    const paths = (reply.body.errors ?? []).map((error: { path: string }) => error.path);
    // Where no field is to blame, none is expected.
    expect([undefined, ...paths]).toContain(path);
    expect(stack.owners.monitors.seen.length).toBe(before);
  });

  it('an unsupported method says which there are: 405 with Allow', async () => {
    const reply = await stack.ask('DELETE', '/v1/monitors');
    expect([reply.status, reply.headers.get('allow')]).toEqual([405, 'GET, HEAD, POST']);
  });

  it('the connection goes on after all of it', async () => {
    expect((await stack.ask('GET', '/v1/monitors')).status).toBe(200);
    expect(stack.gateway.logs.filter((line) => line.includes('failed unexpectedly'))).toEqual([]);
  });
});

describe('every answer', () => {
  it('has security headers, problems too', async () => {
    for (const path of ['/v1/monitors', '/v1/nothing', '/v1/monitors/%zz', '/docs', '/docs/start.js']) {
      const { headers } = await stack.ask('GET', path);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('content-security-policy')).toMatch(/^default-src 'none'/);
    }
  });

  it.each(['/v1/monitors', '/v1/nothing', '/v1/monitors/%zz', '/', '/docs', '/health/live'])(
    'says its trace, without a collector too: %s',
    async (path) => {
      const { headers, body } = await stack.ask('GET', path, { as: undefined });
      const traceId = headers.get('tocsin-trace-id');
      expect(traceId).toMatch(/^[0-9a-f]{32}$/);
      // Documents have no code, problems have one.
      expect([undefined, traceId]).toContain(body?.traceId);
    },
  );

  it('continues the trace of its caller, says which it is, and is timed by route', async () => {
    const receiver = await OtlpReceiver.start();
    try {
      const { url } = await startGateway({ ...stack.env, OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint });
      const traceId = '0af7651916cd43dd8448eb211c80319c';
      const headers = { traceparent: `00-${traceId}-b7ad6b7169203331-01` };
      const reply = await fetch(`${url}/v1/monitors`, { headers });
      expect([reply.status, reply.headers.get('tocsin-trace-id')]).toEqual([401, traceId]);
      expect(await reply.json()).toMatchObject({ traceId, code: 'unauthenticated' });
      const served = () => receiver.trace(traceId).find(({ name }) => name === 'GET /v1/monitors');
      expect(await until(served, { timeoutMs: 15_000, what: 'the span of the request' })).toMatchObject({
        parentSpanId: 'b7ad6b7169203331',
        attributes: { 'http.route': '/v1/monitors', 'http.response.status_code': 401 },
      });
      const metrics = await fetch(`${url}/metrics`).then((response) => response.text());
      expect(metrics).toMatch(
        /tocsin_http_request_seconds_count\{method="GET",route="\/v1\/monitors",status="401"\} 1/,
      );
    } finally {
      await receiver.stop();
    }
  });

  it('says how much of the rate limit is left', async () => {
    const { headers } = await stack.ask('GET', '/v1/monitors');
    expect(headers.get('ratelimit-policy')).toBe('"token";q=5000;w=5');
    expect(headers.get('ratelimit')).toMatch(/^"token";r=\d+;t=0$/);
  });
});

describe('documents for anyone', () => {
  it.each(['/', '/v1/openapi.json', '/docs', '/docs/swagger-ui-bundle.js', '/docs/start.js'])(
    '%s is sent once: asked for with its ETag it is 304',
    async (path) => {
      const first = await stack.ask('GET', path, { as: undefined });
      expect([first.status, first.text.length > 0]).toEqual([200, true]);
      const etag = first.headers.get('etag')!;
      for (const tag of [etag, `W/${etag}`, `"other", ${etag}`]) {
        const again = await stack.ask('GET', path, { as: undefined, headers: { 'if-none-match': tag } });
        expect([again.status, again.text, again.headers.get('etag')]).toEqual([304, '', etag]);
      }
      const other = await stack.ask('GET', path, { as: undefined, headers: { 'if-none-match': '"other"' } });
      expect(other.text).toBe(first.text);
    },
  );

  it('say at / what this is, to a browser and to a script', async () => {
    const script = await stack.ask('GET', '/', { as: undefined });
    expect(script.body).toMatchObject({ name: 'Tocsin', docs: '/docs', openapi: '/v1/openapi.json' });
    const browser = await stack.ask('GET', '/', { as: undefined, headers: { accept: 'text/html,*/*;q=0.8' } });
    expect(browser.headers.get('content-type')).toMatch(/^text\/html/);
    expect(browser.text).toContain('href="/docs"');
    expect((await stack.ask('HEAD', '/', { as: undefined })).status).toBe(200);
  });
});

describe('the description of the API', () => {
  it('is served, and the page to browse it loads nothing from elsewhere', async () => {
    const description = await stack.ask('GET', '/v1/openapi.json', { as: undefined });
    expect(description.body.openapi).toBe('3.1.0');
    const page = await stack.ask('GET', '/docs', { as: undefined });
    expect(page.headers.get('content-security-policy')).toContain("script-src 'self'");
    const loaded = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, address]) => address!);
    for (const address of loaded) expect((await stack.ask('GET', address, { as: undefined })).status).toBe(200);
    expect(loaded.length).toBe(4);
  });
});
