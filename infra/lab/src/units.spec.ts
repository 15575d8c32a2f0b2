import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '@tocsin/testing/servers';
import { describe, expect, it } from 'vitest';
import { fileOf, parseUnit } from './units.ts';

const folder = join(projectRoot, 'infra/deploy/systemd');
const ours = readdirSync(folder).filter((name) => name.endsWith('.service'));
const read = (name: string) => parseUnit(name, [readFileSync(join(folder, fileOf(name)), 'utf8')]);
const service = (text: string) => parseUnit('tocsin-toy.service', [`[Service]\nExecStart=/bin/true\n${text}`]);

describe('the units that hosts get', () => {
  it.each(ours)('%s is understood, every line of it', (name) => {
    expect(read(name.replace('@', '@gateway')).execStart).toHaveLength(1);
  });

  it('of a sub-service name it wherever they say %%i', () => {
    const unit = read('tocsin@gateway.service');
    expect(unit).toMatchObject({
      dynamicUser: true,
      environmentFiles: ['/etc/tocsin/services/gateway.env'],
      credentials: [{ id: 'tocsin', path: '/etc/tocsin/credentials/gateway' }],
      restart: 'always',
      restartMs: 500,
      restartPreventExitStatus: [78],
      killMode: 'mixed',
      timeoutStopMs: 20_000,
    });
  });

  it('of keepalived keep its watchdog, its rights and its place after the balancer', () => {
    expect(read('tocsin-keepalived.service')).toMatchObject({
      after: ['network-online.target', 'tocsin-haproxy.service'],
      type: 'notify',
      watchdogMs: 5_000,
      watchdogSignal: 'SIGKILL',
      execStopPost: [['/etc/tocsin/edge/release-addresses']],
      bounding: ['net_admin', 'net_raw', 'setuid', 'setgid', 'kill'],
      nice: -10,
    });
  });

  it('of PostgreSQL wait for ever, and stop by SIGINT', () => {
    expect(read('tocsin-postgres.service')).toMatchObject({
      timeoutStartMs: Infinity,
      killSignal: 'SIGINT',
      environment: { PG_OOM_ADJUST_FILE: '/proc/self/oom_score_adj', PG_OOM_ADJUST_VALUE: '0' },
      stateDirectories: ['tocsin/postgres', 'tocsin/archive'],
      runtimePreserve: true,
    });
  });
});

describe('a unit file', () => {
  it.each([
    ['a directive that the lab does not know', 'RootDirectory=/x', 'the lab does not know this'],
    ['another kind of service', 'Type=forking', 'only exec, notify, oneshot'],
    ['another way to restart', 'Restart=on-failure', 'only always, no'],
    ['a limit of starts', 'StartLimitIntervalSec=10s', 'only 0'],
    ['a specifier that the lab does not know', 'WorkingDirectory=/x/%H', 'does not know %H'],
    ['a mark before a command', 'ExecStartPre=-/bin/false', 'what stands before this command'],
    ['a strange time', 'RestartSec=1fortnight', 'only times like'],
    ['a strange signal', 'KillSignal=9', 'name of a signal'],
    ['capabilities by exclusion', 'CapabilityBoundingSet=~CAP_KILL', 'names of capabilities'],
    ['a variable in a command', 'ExecReload=/bin/kill ${MAINPID}', 'no variables'],
    ['a second command', 'ExecStart=/bin/false', 'must have one ExecStart'],
  ])('is refused for %s', (_, line, why) => {
    expect(() => service(line)).toThrow(why);
    expect(() => service(line)).toThrow('tocsin-toy.service');
  });

  it('may hold what the lab lists as not applied', () => {
    expect(service('ProtectSystem=strict\nMemoryMax=1G')).toEqual(service(''));
  });

  it('is added to by its drop-ins', () => {
    const texts = ['[Service]\nExecStart=/bin/true\n', '[Service]\nEnvironment=A=1 "B=x y"\n'];
    expect(parseUnit('tocsin-toy.service', texts).environment).toEqual({ A: '1', B: 'x y' });
  });

  it('keeps words in quotation marks together', () => {
    expect(service('ExecReload=/bin/sh -c "kill -HUP $MAINPID"').execReload).toEqual([
      ['/bin/sh', '-c', 'kill -HUP $MAINPID'],
    ]);
  });
});
