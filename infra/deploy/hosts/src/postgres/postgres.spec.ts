import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type DatabaseRole, databaseRoles } from '@tocsin/contracts';
import { describe, expect, it } from 'vitest';
import { postgresFiles } from './postgres.ts';

const shared = join(import.meta.dirname, '../../files/postgres');
const units = join(import.meta.dirname, '../../../systemd');
const hosts = ['a', 'b-2', 'c'].map((name, index) => ({ name, address: `10.0.0.${11 + index}`, interface: 'eth0' }));
const postgres = {
  ...(Object.fromEntries(databaseRoles.map((role) => [role, `pw'${role}`])) as Record<DatabaseRole, string>),
  repmgr: String.raw`pw:re\pmgr`,
};
const deployment = { hosts, postgresql: 15, location: 'here', secrets: { postgres } };

const filesOf = (index: number, more: { archive?: string } = {}) =>
  postgresFiles({ ...deployment, ...more }, hosts[index]!);
const file = (index: number, name: string): string => {
  const found = filesOf(index).find(({ path }) => path === `/etc/tocsin/postgres/${name}`);
  if (!found) throw new Error(`There is no ${name}.`);
  return found.content;
};
const rules = file(0, 'pg_hba.conf')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'))
  .map((line) => line.split(/\s+/));

describe("a host's database", () => {
  it('waits for one of the two other hosts, by the names of their repmgr nodes', () => {
    expect(file(0, 'host.conf')).toContain(`synchronous_standby_names = 'ANY 1 ("b-2", "c")'`);
    expect(file(1, 'host.conf')).toContain(`synchronous_standby_names = 'ANY 1 ("a", "c")'`);
    expect(file(1, 'repmgr.conf')).toContain("node_name='b-2'");
  });

  it("is the repmgr node of its host's place, and no two are the same", () => {
    const ids = hosts.map((_, index) => /^node_id=(\d+)$/m.exec(file(index, 'repmgr.conf'))?.[1]);
    expect(ids).toEqual(['1', '2', '3']);
  });

  it('listens on its own address and loopback alone', () => {
    expect(file(2, 'host.conf')).toContain("listen_addresses = '10.0.0.13,127.0.0.1'");
  });

  it('has its archive opened to the units when that is elsewhere', () => {
    const opened = filesOf(0, { archive: '/mnt/archive' }).filter(({ path }) => path.startsWith('/etc/systemd'));
    expect(opened).toHaveLength(2);
    for (const { content } of opened) expect(content).toContain('ReadWritePaths=/mnt/archive');
    expect(filesOf(0).some(({ path }) => path.startsWith('/etc/systemd'))).toBe(false);
  });
});

describe('who may connect', () => {
  it('over the network: only encrypted, and with a password', () => {
    expect(new Set(rules.map(([kind]) => kind))).toEqual(new Set(['local', 'hostssl']));
    for (const rule of rules) expect(rule[0] === 'local' ? rule[3] : rule[4]).toMatch(/^(peer|scram-sha-256)$/);
  });

  it('to replicate: repmgr, from the three hosts, and backups by the socket', () => {
    const replication = rules.filter(([, database]) => database === 'replication');
    expect(replication.filter(([kind]) => kind === 'local').map((rule) => rule[2])).toEqual(['backup']);
    const remote = replication.filter(([kind]) => kind === 'hostssl');
    expect(remote.map((rule) => [rule[2], rule[3]])).toEqual(hosts.map(({ address }) => ['repmgr', `${address}/32`]));
  });

  it('to the database of Tocsin: each sub-service that has a role, and nobody else', () => {
    const users = rules.filter(([kind]) => kind === 'hostssl').filter(([, database]) => database === 'tocsin');
    expect(new Set(users.map((rule) => rule[2]))).toEqual(new Set(databaseRoles));
    for (const user of databaseRoles) expect(users.filter((rule) => rule[2] === user)).toHaveLength(4);
  });

  it('of the sub-services: to no other database', () => {
    const elsewhere = rules.filter((rule) => databaseRoles.some((user) => user === rule[2]) && rule[1] !== 'tocsin');
    expect(elsewhere).toEqual([]);
    expect(rules.filter(([kind, database]) => kind === 'hostssl' && database === 'all')).toEqual([]);
  });
});

describe('figures', () => {
  const textOf = (name: string): string => readFileSync(join(shared, name), 'utf8');

  it("are read by the host's own exporter: by the socket, as its Unix user, and in one database", () => {
    const own = rules.filter((rule) => rule[2] === 'prometheus');
    expect(own).toEqual([['local', 'tocsin', 'prometheus', 'peer', 'map=exporter']]);
    expect(textOf('pg_ident.conf')).toMatch(/^exporter +prometheus +prometheus$/m);
  });

  it('are all that its role may read, and it has no password', () => {
    const statements = textOf('roles.sql')
      .replaceAll(/^--.*$/gm, '')
      .split(';');
    const own = statements.map((statement) => statement.trim()).filter((statement) => /\bprometheus\b/.test(statement));
    expect(own.join()).not.toContain('PASSWORD');
    const grants = own.filter((statement) => statement.startsWith('GRANT'));
    expect(grants).toEqual(['GRANT pg_monitor TO prometheus', 'GRANT CONNECT ON DATABASE tocsin TO prometheus']);
  });

  it('come by the socket like all else there: as somebody whom a map names', () => {
    const maps = new Set(textOf('pg_ident.conf').match(/^[a-z]+(?= )/gm));
    const asked = rules.filter(([kind]) => kind === 'local').map((rule) => rule[4]?.replace('map=', ''));
    expect(asked.length).toBeGreaterThan(2);
    expect(asked.filter((map) => map === undefined || !maps.has(map))).toEqual([]);
  });
});

describe('passwords', () => {
  it('are in no file that everybody may read', () => {
    const open = filesOf(0).filter(({ group }) => group === undefined);
    expect(open.length).toBeGreaterThan(3);
    const leaking = open.filter(({ content }) => Object.values(postgres).some((each) => content.includes(each)));
    expect(leaking.map(({ path }) => path)).toEqual([]);
  });

  it('are quoted as the files that hold them ask for', () => {
    expect(file(0, 'pgpass')).toBe(`*:5432:*:repmgr:${String.raw`pw\:re\\pmgr`}\n`);
    expect(file(0, 'passwords.psql')).toContain(String.raw`\set monitors_password 'pw''monitors'`);
    expect(file(0, 'passwords.psql')).toContain(String.raw`\set repmgr_password 'pw:re\\pmgr'`);
  });
});

describe('scripts', () => {
  const isScript = (name: string): boolean => {
    const path = join(shared, name);
    return existsSync(path) && (statSync(path).mode & 0o111) === 0o111;
  };
  const named = (text: string): string[] =>
    [...text.matchAll(/\/etc\/tocsin\/postgres\/([a-z-]+)(?![\w.-])/g)].map((match) => match[1]!);

  it('that settings and units name are there and can be run', () => {
    const ours = readdirSync(units).filter((unit) => unit.includes('postgres') || unit.includes('repmgrd'));
    const text = [
      file(0, 'repmgr.conf'),
      file(0, 'host.conf'),
      ...ours.map((unit) => readFileSync(join(units, unit), 'utf8')),
    ].join('\n');
    const calls = new Set(named(text));
    for (const call of ['start', 'promote', 'follow', 'fence', 'may-promote', 'archive', 'repmgrd', 'base-backup']) {
      expect(calls).toContain(call);
    }
    expect([...calls].filter((call) => !isScript(call))).toEqual([]);
  });

  it('stop at the first failure, and say what they are for', () => {
    const scripts = readdirSync(shared).filter((name) => !name.includes('.'));
    expect(scripts.length).toBeGreaterThan(10);
    const careless = scripts.filter((name) => {
      const text = readFileSync(join(shared, name), 'utf8');
      return !isScript(name) || !/^#!\/bin\/sh\n# \S/.test(text) || !text.includes('\nset -eu\n');
    });
    expect(careless).toEqual([]);
  });
});

describe('settings that keep what was acknowledged', () => {
  const settings = readFileSync(join(shared, 'postgresql.conf'), 'utf8');

  it.each(['synchronous_commit = on', 'wal_log_hints = on', 'full_page_writes = on', 'ssl = on'])('%s', (line) => {
    expect(settings.split('\n')).toContain(line);
  });

  it('bound what a standby that is away can hold back', () => {
    expect(settings).toMatch(/^max_slot_wal_keep_size = \d+GB$/m);
  });

  it('fence a primary that its standbys have left, and ask the others before another takes its place', () => {
    expect(file(0, 'repmgr.conf')).toContain("child_nodes_disconnect_command='/etc/tocsin/postgres/fence'");
    expect(file(0, 'repmgr.conf')).toContain("failover_validation_command='/etc/tocsin/postgres/may-promote'");
    // Asked once, it left everybody without a primary when two standbys did not notice in the same second.
    expect(file(0, 'repmgr.conf')).toContain('primary_visibility_consensus=false');
  });
});
