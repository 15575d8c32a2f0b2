import { ETC, RUN, STATE } from '../rendered.ts';

/** Where everything of PostgreSQL lies on a host. */
export const paths = {
  /** Settings and scripts. */
  etc: `${ETC}/postgres`,
  state: `${STATE}/postgres`,
  data: `${STATE}/postgres/data`,
  /** Backups and the archived log, unless the inventory names another place. */
  archive: `${STATE}/archive`,
  /** The socket, and the copy of the passwords that libpq accepts. */
  run: `${RUN}/postgres`,
  passwords: `${RUN}/postgres/pgpass`,
  certificate: `${ETC}/tls/host.crt`,
  key: `${ETC}/tls/host.key`,
  authority: `${ETC}/ca.crt`,
} as const;

/** Where Debian's packages put the programs of a major version. */
export function binariesOf(major: number): string {
  return `/usr/lib/postgresql/${major}/bin`;
}
