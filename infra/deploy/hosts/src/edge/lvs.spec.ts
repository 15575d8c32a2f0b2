import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { staticFiles } from '../static-files.ts';
import { anEdge } from './example.ts';
import { haproxyFiles } from './haproxy.ts';
import { keepalivedFiles } from './keepalived.ts';
import { withLvs } from './lvs.ts';

function edgeOf(deployment: ReturnType<typeof anEdge>, name = 'b') {
  const host = deployment.hosts.find((one) => one.name === name)!;
  const plain = [...haproxyFiles(deployment, host), ...keepalivedFiles(deployment, host), ...staticFiles()];
  return { plain, lvs: withLvs(deployment, host, plain) };
}

const textOf = (files: readonly { path: string; content: string }[], path: string) =>
  files.find((file) => file.path === path)!.content;
const { plain, lvs } = edgeOf(anEdge({ edge: { port: 8443 } }));
const keepalived = textOf(lvs, '/etc/tocsin/keepalived/keepalived.conf');
const haproxy = textOf(lvs, '/etc/tocsin/haproxy/haproxy.cfg');

describe('the edge with LVS', () => {
  it('spreads the connections to the floating address over the balancers of all hosts', () => {
    expect(keepalived).toContain('virtual_server 10.0.0.10 8443 {');
    const servers = [...keepalived.matchAll(/^ {4}real_server (.+) \{$/gm)].map((match) => match[1]);
    expect(servers).toEqual(['10.0.0.11 8443', '10.0.0.12 8443', '10.0.0.13 8443']);
  });

  it('asks each balancer at a door that it opens on every host, and that answers nothing else', () => {
    const ports = new Set([...keepalived.matchAll(/connect_port (\d+)/g)].map((match) => match[1]));
    expect(ports.size).toBe(1);
    const [port] = ports;
    expect(haproxy).toContain(`bind 10.0.0.11:${port},10.0.0.12:${port},10.0.0.13:${port} transparent\n`);
    const asked = /path (\S+)/.exec(keepalived)![1];
    const door = haproxy.slice(haproxy.indexOf('frontend among_hosts '));
    expect(door).toContain(`monitor-uri ${asked}\n`);
    expect(door).toContain('http-request deny status 404\n');
  });

  it('leaves room for that door beside the others', () => {
    const text = textOf(edgeOf(anEdge()).lvs, '/etc/tocsin/haproxy/haproxy.cfg');
    const [all, ...doors] = [...text.matchAll(/^ {4}maxconn (\d+)/gm)].map((match) => Number(match[1]));
    expect(doors).toHaveLength(5);
    expect(doors.reduce((a, b) => a + b)).toBeLessThanOrEqual(all!);
  });

  it('follows the instance that holds the address, on the interface of the host', () => {
    const [, card, instance] = /lvs_sync_daemon (\S+) (\S+)/.exec(keepalived)!;
    expect(card).toBe('eth1');
    expect(keepalived).toContain(`vrrp_instance ${instance} {`);
  });

  it('starts what asks the balancers, and changes no other file', () => {
    const path = '/etc/tocsin/edge/start-keepalived';
    expect(textOf(plain, path)).toContain(' --vrrp ');
    expect(textOf(lvs, path)).not.toContain(' --vrrp ');
    expect(textOf(lvs, path)).toContain(' --checkers_pid=/run/tocsin/keepalived/checkers.pid ');
    const other = plain.filter((file) => textOf(lvs, file.path) !== file.content).map((file) => file.path);
    expect(other.toSorted()).toEqual([
      path,
      '/etc/tocsin/haproxy/haproxy.cfg',
      '/etc/tocsin/keepalived/keepalived.conf',
    ]);
  });

  it('prepares a host before its balancer says that it works, and clears up after a keepalived that was killed', () => {
    const [haproxys, keepaliveds] = ['haproxy', 'keepalived'].map((unit) =>
      textOf(lvs, `/etc/systemd/system/tocsin-${unit}.service.d/lvs.conf`),
    );
    const script = /^ExecStartPre=\+(.+)$/m.exec(haproxys!)![1]!;
    expect(lvs.find(({ path }) => path === script)).toMatchObject({ executable: true });
    expect(keepaliveds).toMatch(/^ExecStopPost=-\S+\/ipvsadm --clear$/m);
    // It adds what keepalived's own list names.
    expect(textOf(lvs, script)).toContain('</etc/tocsin/keepalived/addresses');
    expect(textOf(lvs, '/etc/tocsin/keepalived/addresses')).toBe('10.0.0.10/24 eth1\n');
  });

  it('never shows the floating address before it is told to keep quiet about it', () => {
    const lines = textOf(lvs, '/etc/tocsin/lvs/prepare').split('\n');
    const at = (start: string) => lines.findIndex((line) => line.trim().startsWith(start));
    expect(at('set_to conf/all/arp_ignore 1')).toBeGreaterThan(0);
    expect(at('set_to conf/all/arp_announce 2')).toBeGreaterThan(0);
    expect(at('ip address replace')).toBeGreaterThan(at('set_to conf/all/arp_ignore 1'));
    expect(at('ip address replace')).toBeGreaterThan(at('set_to conf/all/arp_announce 2'));
  });

  it('takes one floating address', () => {
    expect(() => edgeOf(anEdge({ edge: { addresses: ['10.0.0.10', '10.0.0.20'] } }))).toThrow('edge.addresses');
  });

  it('says so when there is nothing that it could be added to', () => {
    const deployment = anEdge();
    expect(() => withLvs(deployment, deployment.hosts[0]!, [])).toThrow('haproxy.cfg');
  });
});

describe('the bonded cards', () => {
  const folder = join(import.meta.dirname, '../../files/bonding');
  const text = (name: string) => readFileSync(join(folder, name), 'utf8');

  it('are watched by questions, and what a card itself says is not asked', () => {
    const netdev = text('tocsin-bond0.netdev');
    expect(netdev).toMatch(/^Mode=active-backup$/m);
    expect(netdev).toMatch(/^ARPIntervalSec=100ms$/m);
    expect(netdev).toMatch(/^ARPValidate=all$/m);
    expect(netdev).not.toMatch(/^MIIMonitorSec=/m);
  });

  it('ask the other two hosts and the router', () => {
    const own = /^Address=(.+)\/\d+$/m.exec(text('tocsin-bond0.network'))![1]!;
    const router = /^Gateway=(.+)$/m.exec(text('tocsin-bond0.network'))![1]!;
    const others = ['10.0.0.11', '10.0.0.12', '10.0.0.13'].filter((address) => address !== own);
    const asked = /^ARPIPTargets=(.+)$/m.exec(text('tocsin-bond0.netdev'))![1]!;
    expect(asked.split(' ')).toEqual([...others, router]);
  });

  it('belong to the bond that is made', () => {
    const name = /^Name=(.+)$/m.exec(text('tocsin-bond0.netdev'))![1]!;
    expect(text('tocsin-bond0-cards.network')).toContain(`Bond=${name}\n`);
    expect(text('tocsin-bond0.network')).toContain(`[Match]\nName=${name}\n`);
  });
});
