import { describe, expect, it } from 'vitest';
import { launch, userOf } from './launch.ts';
import { parseUnit } from './units.ts';

const unit = (text: string, name = 'tocsin-toy.service') =>
  parseUnit(name, [`[Service]\nExecStart=/bin/true\n${text}`]);
const now = { groups: 'tocsin-tls:x:990:tocsin-nats,tocsin-redis\nother:x:1:root\n', openFiles: 20_000, variables: {} };
const line = (text: string, command = ['/bin/true'], more = {}) =>
  launch(unit(text), command, { ...now, ...more }).join(' ');

describe('the command line of a unit', () => {
  it('makes a namespace, takes the user, and ends with the command', () => {
    expect(line('User=tocsin-nats', ['/bin/server', '-x'])).toMatch(
      /unshare --mount .*setpriv --reuid=tocsin-nats --regid=tocsin-nats --groups=tocsin-tls .*-- \/bin\/server -x$/s,
    );
  });

  it('adds the groups that the unit names', () => {
    expect(line('User=tocsin-nats\nSupplementaryGroups=more')).toContain('--groups=tocsin-tls,more ');
    expect(line('User=tocsin-haproxy\nGroup=g')).toContain('--regid=g --clear-groups');
  });

  it('leaves no right but those that the unit names', () => {
    const text = line('CapabilityBoundingSet=CAP_NET_RAW\nAmbientCapabilities=CAP_NET_RAW\nNoNewPrivileges=yes');
    for (const part of ['--no-new-privs', '--bounding-set=-all,+net_raw', '--ambient-caps=-all,+net_raw'])
      expect(text).toContain(part);
    expect(line('CapabilityBoundingSet=')).toContain('--bounding-set=-all ');
    expect(line('')).not.toContain('--bounding-set');
  });

  it('begins with nothing in the environment but what systemd and the unit give', () => {
    const text = line('User=u\nEnvironment=A=1\nStateDirectory=tocsin/x tocsin/y', ['/x'], {
      variables: { A: '2', B: '3' },
      notifySocket: '/run/s',
    });
    expect(text).toMatch(/^env --ignore-environment --chdir=\/ PATH=/);
    for (const part of [
      ' A=2 ',
      ' B=3 ',
      ' USER=u ',
      ' NOTIFY_SOCKET=/run/s ',
      '=/var/lib/tocsin/x:/var/lib/tocsin/y ',
    ])
      expect(text).toContain(part);
  });

  it('puts the main process into a command that asks for it', () => {
    expect(line('', ['/bin/kill', '-HUP', '$MAINPID'], { mainPid: 42 })).toMatch(/kill -HUP 42$/);
  });

  it('asks for no more open files than the machine lets it have', () => {
    expect(line('LimitNOFILE=65536')).toContain('--nofile=20000:20000');
    expect(line('LimitNOFILE=1024')).toContain('--nofile=1024:1024');
  });

  it('gives a sub-service a user of its own', () => {
    expect(userOf(unit('DynamicUser=yes', 'tocsin@gateway.service'))).toBe('tocsin-gateway');
    expect(userOf(unit(''))).toBe('root');
  });
});
