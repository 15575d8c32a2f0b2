import { readFileSync } from 'node:fs';
import type { Host } from '../inventory.ts';
import { readableBy, type RenderedFile } from '../rendered.ts';
import { hostConf } from './host-conf.ts';
import { passwordVariables, pgpass } from './passwords.ts';
import { pgHba } from './pg-hba.ts';
import { POSTGRES_USER, type PostgresDeployment } from './postgres-deployment.ts';
import { paths } from './postgres-paths.ts';
import { repmgrConf } from './repmgr-conf.ts';
import { scriptSettings } from './script-settings.ts';

const bootstrap = new URL('../../../postgres/bootstrap.sql', import.meta.url);

/**
 * What differs between hosts, or is secret, of PostgreSQL and repmgr. The scripts and settings that are the same everywhere
 * are in files/postgres.
 */
export function postgresFiles(deployment: PostgresDeployment, host: Host): RenderedFile[] {
  const at = (name: string): string => `${paths.etc}/${name}`;
  const secret = (name: string, content: string): RenderedFile => readableBy(POSTGRES_USER, at(name), content);
  return [
    { path: at('host.conf'), content: hostConf(deployment, host) },
    { path: at('pg_hba.conf'), content: pgHba(deployment) },
    { path: at('repmgr.conf'), content: repmgrConf(deployment, host) },
    { path: at('settings'), content: scriptSettings(deployment, host) },
    secret('pgpass', pgpass(deployment.secrets.postgres)),
    secret('passwords.psql', passwordVariables(deployment.secrets.postgres)),
    { path: at('bootstrap.sql'), content: readFileSync(bootstrap, 'utf8') },
    ...mountedArchive(deployment),
  ];
}

/** The units may write to nothing but their own folders; an archive elsewhere is opened to them, once it is mounted. */
function mountedArchive({ archive }: PostgresDeployment): RenderedFile[] {
  if (archive === undefined) return [];
  return ['tocsin-postgres', 'tocsin-postgres-backup'].map((unit) => ({
    path: `/etc/systemd/system/${unit}.service.d/archive.conf`,
    content: `[Unit]\nRequiresMountsFor=${archive}\n\n[Service]\nReadWritePaths=${archive}\n`,
  }));
}
