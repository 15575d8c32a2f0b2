import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generate } from 'selfsigned';
import { describe, expect, it } from 'vitest';
import { ports } from '../ports.ts';
import { anEdge } from './example.ts';
import { type EdgeDeployment, haproxyFiles } from './haproxy.ts';

const haproxy = spawnSync('haproxy', ['-v']).status === 0;

const fileOf = (deployment: EdgeDeployment, name: string) =>
  haproxyFiles(deployment, deployment.hosts[0]!).find(({ path }) => path === `/etc/tocsin/haproxy/${name}`)!;

/** The lines of each section, without comments. */
function sections(deployment = anEdge()): Record<string, string[]> {
  const found: Record<string, string[]> = {};
  let current: string[] = [];
  for (const line of fileOf(deployment, 'haproxy.cfg').content.split('\n')) {
    const text = line.trim();
    if (text === '' || text.startsWith('#')) continue;
    if (line.startsWith(' ')) current.push(text);
    else current = found[text.split(' ').slice(0, 2).join(' ')] = [];
  }
  return found;
}
const beginning = (lines: string[] | undefined, word: string) => lines!.filter((line) => line.startsWith(`${word} `));

describe('the balancer', () => {
  it('asks every gateway every 300 ms whether it is ready, and believes two answers', () => {
    const ready = sections()['backend ready']!;
    expect(beginning(ready, 'server')).toEqual(
      ['a 10.0.0.11', 'b 10.0.0.12', 'c 10.0.0.13'].map((one) => `server ${one}:8420`),
    );
    expect(ready).toContain('option httpchk GET /health/ready');
    expect(ready).toContain('default-server check inter 300ms fall 2 rise 2');
  });

  it.each(['repeatable', 'once_gateways', 'events'])(
    'sends %s to ready gateways, and to living ones if none is',
    (name) => {
      const servers = beginning(sections()[`backend ${name}`], 'server');
      for (const host of ['a', 'b', 'c']) {
        expect(
          servers.filter((line) => line.startsWith(`server ${host} `) && line.includes(` track ready/${host} `)),
        ).toHaveLength(1);
        const unready = servers.filter((line) => line.includes(` track live/${host} `));
        expect(unready).toHaveLength(1);
        expect(unready[0]).toMatch(/ backup$/);
      }
      expect(servers).toHaveLength(6);
      expect(sections()[`backend ${name}`]).toContain('option allbackups');
    },
  );

  it('asks a second time where that is a repetition, and nowhere else where the first may have been carried out', () => {
    const of = sections();
    const tried = Object.fromEntries(Object.entries(of).map(([name, lines]) => [name, beginning(lines, 'retry-on')]));
    expect(Object.entries(tried).filter(([, lines]) => lines.length > 0)).toEqual([
      ['backend repeatable', ['retry-on conn-failure empty-response response-timeout 502 503 504']],
      ['backend once_gateways', ['retry-on conn-failure']],
      ['backend events', ['retry-on conn-failure empty-response 503']],
    ]);
    expect(of['defaults tocsin']).toContain('option redispatch 1');
    expect(of['backend repeatable']).toContain('option http-buffer-request');
  });

  it('takes reads and changes with a key for repeatable, events for themselves, and all else for what is sent once', () => {
    const edge = sections()['frontend edge']!;
    expect(edge.filter((line) => /^(acl|use_backend|default_backend) /.test(line))).toEqual([
      'acl events path /v1/events',
      'acl heartbeat path_beg /v1/heartbeats/',
      'acl read method GET HEAD OPTIONS',
      'acl keyed req.hdr(Idempotency-Key) -m found',
      'use_backend events if events read',
      'use_backend repeatable if read',
      'use_backend repeatable if keyed',
      'default_backend once',
    ]);
  });

  it('sends a change without a key over connections that nobody used before, on both sides of its own door', () => {
    const of = sections();
    for (const name of ['backend once', 'backend once_gateways']) {
      expect(of[name]).toEqual(expect.arrayContaining(['http-reuse never', 'option http-server-close']));
    }
    expect(beginning(of['backend once'], 'server')).toEqual([`server door unix@/run/tocsin/haproxy/once.sock`]);
    expect(of['frontend once_door']).toContain('default_backend once_gateways');
  });

  it('ends requests of a gateway that is down at no place but that of events, which resume', () => {
    const ending = Object.entries(sections()).filter(([, lines]) =>
      lines.some((line) => line.includes('on-marked-down')),
    );
    expect(ending.map(([name]) => name)).toEqual(['backend events']);
  });

  it('waits a little longer than the gateway does, also where the inventory changes that', () => {
    const waits = (deployment: EdgeDeployment) => {
      const of = sections(deployment);
      return [
        ...beginning(of['defaults tocsin'], 'timeout server'),
        ...beginning(of['backend once_gateways'], 'http-request'),
      ].map((line) => Number(/server (\d+)/.exec(line)![1]));
    };
    expect(waits(anEdge())).toEqual([6_000, 16_000, 31_000]);
    expect(waits(anEdge({ gateway: { TOCSIN_ANSWER_MS: '20000' } }))).toEqual([21_000, 21_000, 31_000]);
    expect(() => sections(anEdge({ gateway: { TOCSIN_ANSWER_MS: '5s' } }))).toThrow(
      'settings.gateway.TOCSIN_ANSWER_MS',
    );
  });

  it.each([
    [['10.0.0.10'], 512, 500],
    [['10.0.0.10', '10.0.0.20'], 256, 250],
  ])('sends a gateway no more at a time than it takes, with the addresses %j', (addresses, requests, streams) => {
    const of = sections(anEdge({ edge: { addresses } }));
    const most = (name: string) => Number(/ maxconn (\d+)/.exec(beginning(of[`backend ${name}`], 'server')[0]!)![1]);
    expect(most('repeatable') + most('once_gateways')).toBe(requests);
    expect(most('events')).toBe(streams);
  });

  it('keeps room for the question of keepalived when its doors are full', () => {
    const of = sections();
    const most = (name: string) => Number(beginning(of[name], 'maxconn')[0]!.split(' ')[1]);
    const doors = Object.keys(of).filter((name) => name.startsWith('frontend '));
    expect(doors).toHaveLength(4);
    expect(doors.map(most).reduce((a, b) => a + b)).toBeLessThanOrEqual(most('global'));
  });

  it('answers that question on loopback, at the port that the script asks', () => {
    expect(sections()['frontend figures']).toEqual(
      expect.arrayContaining([`bind 127.0.0.1:${ports.haproxyStats}`, 'monitor-uri /edge-health']),
    );
    const script = readFileSync(join(import.meta.dirname, '../../files/edge/check-edge'), 'utf8');
    expect(script).toContain(`/dev/tcp/127.0.0.1/${ports.haproxyStats}`);
    expect(script).toContain('GET /edge-health ');
  });

  it('serves all floating addresses on every host, and sends who comes without TLS to where there is', () => {
    const of = sections(anEdge({ edge: { addresses: ['10.0.0.10', '10.0.0.20'] } }));
    expect(of['frontend edge']![0]).toMatch(/^bind 10\.0\.0\.10:443,10\.0\.0\.20:443 transparent ssl /);
    expect(of['frontend plain']).toContain('bind 10.0.0.10:80,10.0.0.20:80 transparent');
    const other = sections(anEdge({ edge: { port: 8443 } }));
    expect(other['frontend edge']![0]).toMatch(/^bind 10\.0\.0\.10:8443 /);
    expect(other).not.toHaveProperty('frontend plain');
  });

  it('shares what gateways take among all hosts where all serve at once', () => {
    const maxconn = (edge: Record<string, unknown>): number =>
      Number(/ maxconn (\d+)/.exec(sections(anEdge({ edge }))['backend events']!.join('\n'))?.[1]);
    expect(maxconn({ kind: 'lvs' })).toBe(Math.floor(maxconn({}) / 3));
  });

  it('shows its key to nobody but itself', () => {
    const pem = fileOf(anEdge(), 'edge.pem');
    expect(pem).toMatchObject({ group: 'tocsin-haproxy', content: 'the certificate\nthe key\n' });
    expect(fileOf(anEdge(), 'haproxy.cfg').content).not.toContain('the key');
  });

  const titled = (title: string) => (haproxy ? title : `${title} (skipped: there is no haproxy on the PATH)`);
  it.skipIf(!haproxy).each([1, 2])(titled('is taken by HAProxy itself, with %i addresses'), async (count) => {
    const folder = mkdtempSync(join(tmpdir(), 'tocsin-edge-'));
    try {
      const made = await generate([{ name: 'commonName', value: 'edge' }], { keyType: 'ec' });
      const certificate = { certificate: made.cert, key: made.private };
      const deployment = anEdge({ edge: { addresses: ['10.0.0.10', '10.0.0.20'].slice(0, count) }, certificate });
      writeFileSync(join(folder, 'edge.pem'), fileOf(deployment, 'edge.pem').content);
      const text = fileOf(deployment, 'haproxy.cfg').content.replaceAll('/etc/tocsin/haproxy/', `${folder}/`);
      writeFileSync(join(folder, 'haproxy.cfg'), text);
      const checked = spawnSync('haproxy', ['-c', '-f', join(folder, 'haproxy.cfg')], { encoding: 'utf8' });
      expect([checked.status, checked.stderr]).toEqual([0, expect.not.stringMatching(/WARNING|ALERT/)]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
