import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { anEdge } from './example.ts';
import { keepalivedFiles } from './keepalived.ts';

const files = join(import.meta.dirname, '../../files');
const units = join(import.meta.dirname, '../../../systemd');
const one = anEdge();
const two = anEdge({ edge: { addresses: ['10.0.0.10', '10.0.0.20'], routerId: 60 } });

/** What a host has of each address, in the order of the addresses. */
function instances(deployment: typeof one, name: string) {
  const host = deployment.hosts.find((each) => each.name === name)!;
  const text = keepalivedFiles(deployment, host)[0]!.content;
  return text
    .split('vrrp_instance ')
    .slice(1)
    .map((part) => {
      const value = (word: string) => new RegExp(`^ *${word} (.+)$`, 'm').exec(part)?.[1];
      const inside = (word: string) =>
        new RegExp(`${word} \\{([^}]*)\\}`)
          .exec(part)![1]!
          .trim()
          .split(/\s*\n\s*/);
      return {
        routerId: value('virtual_router_id'),
        priority: Number(value('priority')),
        source: value('unicast_src_ip'),
        interface: value('interface'),
        peers: inside('unicast_peer'),
        address: inside('virtual_ipaddress'),
        script: inside('track_script'),
        stays: /^ *nopreempt$/m.test(part),
        delay: value('preempt_delay'),
        state: value('state'),
      };
    });
}

describe('the floating addresses', () => {
  it('are not lost to a number that a process of the past left behind', () => {
    const start = readFileSync(join(files, 'edge/start-keepalived'), 'utf8').split('\n');
    const removed = start.indexOf('rm -f /run/tocsin/keepalived/*.pid');
    expect(removed).toBeGreaterThan(0);
    expect(start.findIndex((line) => line.startsWith('exec '))).toBeGreaterThan(removed);
  });

  it.each(['a', 'b', 'c'])('are agreed on with the other two hosts: %s', (name) => {
    const own = two.hosts.find((host) => host.name === name)!;
    const others = two.hosts.filter((host) => host !== own).map(({ address }) => address);
    for (const [index, instance] of instances(two, name).entries()) {
      expect(instance).toMatchObject({
        source: own.address,
        interface: own.interface,
        peers: others,
        script: ['edge', 'others'],
      });
      expect(instance.address).toEqual([`10.0.0.${index + 1}0/24 dev ${own.interface}`]);
    }
  });

  it('are given up by a host that reaches neither of the others', () => {
    const { content } = keepalivedFiles(two, two.hosts[1]!)[0]!;
    expect(content).toMatch(/^ *script "\/etc\/tocsin\/edge\/check-others 8420 10\.0\.0\.11 10\.0\.0\.13"$/m);
  });

  it('are wanted by each host to another degree, and two by two hosts most', () => {
    const wanted = (index: number) => two.hosts.map(({ name }) => instances(two, name)[index]!.priority);
    expect(wanted(0)).toEqual([150, 140, 130]);
    expect(wanted(1)).toEqual([130, 150, 140]);
  });

  it('are told apart on the network', () => {
    expect(instances(two, 'a').map(({ routerId }) => routerId)).toEqual(['60', '61']);
  });

  it('stay where they are if there is one, and move back in peace if there are two', () => {
    expect(instances(one, 'a')).toMatchObject([{ stays: true, delay: undefined, state: 'BACKUP' }]);
    expect(instances(two, 'a')).toMatchObject([
      { stays: false, delay: '60' },
      { stays: false, delay: '60' },
    ]);
  });

  it('are let go of, all of them, when keepalived is gone', () => {
    const list = keepalivedFiles(two, two.hosts[1]!)[1]!;
    expect(list).toEqual({
      path: '/etc/tocsin/keepalived/addresses',
      content: '10.0.0.10/24 eth1\n10.0.0.20/24 eth1\n',
    });
    const unit = readFileSync(join(units, 'tocsin-keepalived.service'), 'utf8');
    expect(unit).toContain('ExecStopPost=/etc/tocsin/edge/release-addresses\n');
    expect(unit).toContain('KillMode=control-group\n');
    expect(readFileSync(join(files, 'edge/release-addresses'), 'utf8')).toContain(list.path);
    // A child that died and is born anew would leave them here.
    expect(readFileSync(join(files, 'edge/start-keepalived'), 'utf8')).toContain(' --dont-respawn ');
  });

  it('have a watchdog that somebody feeds', () => {
    const unit = readFileSync(join(units, 'tocsin-keepalived.service'), 'utf8');
    expect(unit).toMatch(/^WatchdogSec=5s$/m);
    expect(unit).toMatch(/^NotifyAccess=all$/m);
    const [start, check] = ['start-keepalived', 'check-edge'].map((name) =>
      readFileSync(join(files, 'edge', name), 'utf8'),
    );
    expect(start).toContain('export TOCSIN_NOTIFY_SOCKET=');
    expect(check).toContain('NOTIFY_SOCKET=$TOCSIN_NOTIFY_SOCKET systemd-notify WATCHDOG=1');
  });

  it('depend on scripts that are there and can be run', () => {
    const text = keepalivedFiles(one, one.hosts[0]!)[0]!.content;
    const texts = ['haproxy', 'keepalived'].map((name) => readFileSync(join(units, `tocsin-${name}.service`), 'utf8'));
    const named = [text, ...texts].flatMap((each) =>
      [...each.matchAll(/\/etc\/tocsin\/edge\/([\w-]+)/g)].map((match) => match[1]!),
    );
    expect(new Set(named)).toEqual(new Set(['check-edge', 'check-others', 'start-keepalived', 'release-addresses']));
    for (const name of named) {
      expect(existsSync(join(files, 'edge', name))).toBe(true);
      expect(statSync(join(files, 'edge', name)).mode & 0o111).toBe(0o111);
    }
  });
});
