import type { IncomingMessage } from 'node:http';
import { describe, expect, test } from 'vitest';
import { checkHttp, said, webServer } from './bench.ts';

interface Asked {
  method: string;
  url: string;
  headers: IncomingMessage['headers'];
  body: string;
}

/** A server that redirects by its paths: `/to/<status>/<location>`, anything else is fine. */
async function site() {
  const asked: Asked[] = [];
  const server = await webServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on('end', () => {
      asked.push({ method: request.method!, url: request.url!, headers: request.headers, body });
      const match = /^\/to\/(\d+)\/(.*)$/.exec(request.url!);
      if (!match) return response.end('fine');
      return response.writeHead(Number(match[1]), { location: decodeURIComponent(match[2]!) }).end();
    });
  });
  const to = (status: number, location: string) => `${server.url}to/${status}/${encodeURIComponent(location)}`;
  return { ...server, asked, to };
}

describe('redirects', () => {
  test('are followed, and the last answer is judged', async () => {
    const { asked, to } = await site();
    expect(said(await checkHttp({ url: to(301, '../../end?x=1') }))).toBe('up: status 200');
    expect(asked.map(({ url }) => url)).toEqual([expect.stringContaining('/to/301/'), '/end?x=1']);
  });

  test('are not followed when the monitor says so: their own status is judged', async () => {
    const { asked, to } = await site();
    expect(said(await checkHttp({ url: to(302, '/end') }, { redirects: { follow: false } }))).toBe(
      'down: status 302, expected 200-299',
    );
    expect(
      said(await checkHttp({ url: to(302, '/end') }, { redirects: { follow: false }, acceptedStatus: ['302'] })),
    ).toBe('up: status 302');
    expect(asked).toHaveLength(2);
  });

  test('without a location lead nowhere', async () => {
    const server = await webServer((_, response) => response.writeHead(302).end());
    expect(said(await checkHttp(server))).toBe('down: status 302, expected 200-299');
  });

  test('in a loop end at their bound', async () => {
    let count = 0;
    const server = await webServer((_, response) => {
      count++;
      response.writeHead(302, { location: '/again' }).end();
    });
    expect(said(await checkHttp(server))).toBe(
      `down: redirects: more than 5, the last to ${server.url.slice(0, -1)}, from an address to itself`,
    );
    expect(count).toBe(6);
    expect((await checkHttp(server, { redirects: { max: 0 } })).reason).toBe('redirects');
    expect(count).toBe(7);
  });

  test('as many as allowed are allowed', async () => {
    const { to } = await site();
    const twice = to(302, to(302, '/end'));
    expect((await checkHttp({ url: twice }, { redirects: { max: 2 } })).verdict).toBe('up');
    expect((await checkHttp({ url: twice }, { redirects: { max: 1 } })).reason).toBe('redirects');
  });

  test('share the one timeout of the check', async () => {
    const server = await webServer((_, response) => {
      setTimeout(() => response.writeHead(302, { location: '/again' }).end(), 80);
    });
    const finding = await checkHttp(server, { redirects: { max: 20 } }, { timeoutMs: 300 });
    expect(finding.reason).toBe('timeout');
    expect(finding.durationMs).toBeLessThan(1_000);
  });

  test.each([
    ['ftp://a.example/', 'down: redirects: to "ftp:", which is neither http nor https'],
    ['file:///etc/passwd', 'down: redirects: to "file:", which is neither http nor https'],
    ['http://[bad', 'down: redirects: the Location header is not a URL'],
  ])('to %s are refused', async (location, expected) => {
    const { to } = await site();
    expect(said(await checkHttp({ url: to(302, location) }))).toBe(expected);
  });

  test.each([
    ['POST', 301, 'GET', ''],
    ['POST', 302, 'GET', ''],
    ['POST', 303, 'GET', ''],
    ['PUT', 303, 'GET', ''],
    ['PUT', 302, 'PUT', 'data'],
    ['POST', 307, 'POST', 'data'],
    ['POST', 308, 'POST', 'data'],
  ] as const)('%s after %i becomes %s', async (method, status, then, body) => {
    const { asked, to } = await site();
    await checkHttp({ url: to(status, '/end') }, { method, body: 'data', headers: { 'Content-Type': 'text/plain' } });
    expect(asked[1]).toMatchObject({ method: then, body });
    expect(asked[1]!.headers['content-type']).toBe(body === '' ? undefined : 'text/plain');
  });

  test('HEAD stays HEAD after 303', async () => {
    const { asked, to } = await site();
    await checkHttp({ url: to(303, '/end') }, { method: 'HEAD' });
    expect(asked[1]).toMatchObject({ method: 'HEAD' });
  });

  test('within an origin take credentials along, to another they do not', async () => {
    const home = await site();
    const away = await site();
    const settings = {
      auth: { type: 'bearer' as const, token: 'tok' },
      headers: { Cookie: 'a=b', 'X-Api-Key': 'k', Host: 'virtual.example', 'X-Plain': 'p' },
    };
    await checkHttp({ url: home.to(302, '/end') }, settings);
    const secrets = { authorization: 'Bearer tok', cookie: 'a=b', 'x-api-key': 'k', host: 'virtual.example' };
    expect(home.asked[1]!.headers).toMatchObject({ ...secrets, 'x-plain': 'p' });

    await checkHttp({ url: home.to(307, `${away.url}end`) }, settings);
    expect(away.asked[0]!.headers).toMatchObject({ 'x-plain': 'p', host: new URL(away.url).host });
    for (const name of ['authorization', 'cookie', 'x-api-key'])
      expect(away.asked[0]!.headers).not.toHaveProperty(name);
  });

  test('back home after a detour do not get the credentials back', async () => {
    const home = await site();
    const away = await site();
    await checkHttp({ url: home.to(302, away.to(302, `${home.url}end`)) }, { auth: { type: 'bearer', token: 'tok' } });
    expect(home.asked.map(({ headers }) => headers.authorization)).toEqual(['Bearer tok', undefined]);
  });
});

describe('the cookies that a site sets on the way (prometheus/blackbox_exporter#186)', () => {
  /** Sends whoever has not all of these cookies to the same page, one cookie further. */
  async function wall(...cookies: string[]) {
    const asked: (string | undefined)[] = [];
    const server = await webServer((request, response) => {
      asked.push(request.headers.cookie);
      const next = cookies[asked.length - 1];
      if (next === undefined) return response.end('welcome');
      return response.writeHead(302, { 'Set-Cookie': [next, 'x=1; Path=/elsewhere'], Location: '#top' }).end();
    });
    return { ...server, asked };
  }

  test('go back to it', async () => {
    const server = await wall('seen=1; Path=/; HttpOnly', 'step=2');
    expect(said(await checkHttp(server))).toBe('up: status 200');
    expect(server.asked).toEqual([undefined, 'seen=1', 'seen=1; step=2']);
  });

  test('come after those of the monitor', async () => {
    const server = await wall('seen=1');
    expect(said(await checkHttp(server, { headers: { cookie: 'mine=1' } }))).toBe('up: status 200');
    expect(server.asked).toEqual(['mine=1', 'mine=1; seen=1']);
  });

  test('are forgotten with the check', async () => {
    const server = await wall('seen=1');
    await checkHttp(server, {}, { settingsKey: 'm.1' });
    await checkHttp(server, {}, { settingsKey: 'm.1' });
    expect(server.asked).toEqual([undefined, 'seen=1', undefined]);
  });

  test('do not go to another host', async () => {
    const away = await site();
    const home = await webServer((_, response) => {
      const location = `${away.url.replace('127.0.0.1', 'localhost')}end`;
      response.writeHead(302, { 'Set-Cookie': ['a=1', 'b=2; Domain=localhost'], Location: location }).end();
    });
    expect(said(await checkHttp(home, { ipFamily: '4' }))).toBe('up: status 200');
    expect(away.asked[0]!.headers).not.toHaveProperty('cookie');
  });
});
