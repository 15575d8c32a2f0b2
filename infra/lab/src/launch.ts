import type { Unit } from './units.ts';

/** What is only known when a unit is started. */
export interface Circumstances {
  /** The text of the host's /etc/group. */
  groups: string;
  /** How many open files the machine lets anybody have; inside a container root can't have more. */
  openFiles: number;
  /** From the unit's environment files. */
  variables: Record<string, string>;
  notifySocket?: string;
  mainPid?: number;
}

/** The user that a unit runs as; systemd makes one up for a `DynamicUser`. */
export function userOf(unit: Unit): string {
  return unit.user ?? (unit.dynamicUser ? unit.name.replace(/\.service$/, '').replace('@', '-') : 'root');
}

/**
 * Makes the namespace that tells which unit a process belongs to: each process inherits it and none can leave it. Ids,
 * sessions and parents do not tell, as servers change them. systemd has a control group for that.
 */
const ENTER = `
if [ "$1" = yes ]; then mount -t tmpfs -o mode=1777 tmpfs /tmp || exit 70; fi
umask "$2"
shift 2
exec "$@"`;

/** How root starts a command of a unit: in a mount namespace of its own, with its user, its groups and no right too many. */
export function launch(unit: Unit, argv: readonly string[], now: Circumstances): string[] {
  const user = userOf(unit);
  const files = Math.min(unit.openFiles ?? 0, now.openFiles);
  const limits = [
    ...(unit.openFiles === undefined ? [] : ['prlimit', `--nofile=${files}:${files}`]),
    ...(unit.nice === 0 ? [] : ['nice', '-n', String(unit.nice)]),
  ];
  const inside = [unit.privateTmp ? 'yes' : 'no', unit.umask, ...limits, 'setpriv', ...rights(unit, now.groups), '--'];
  const command = argv.map((word) => word.replace(/^\$MAINPID$/, String(now.mainPid ?? '')));
  const environment: Record<string, string> = {
    PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin',
    LANG: 'C.UTF-8',
    ...(user === 'root' ? {} : { USER: user, LOGNAME: user, HOME: unit.dynamicUser ? '/' : '/nonexistent' }),
    ...(unit.credentials.length > 0 ? { CREDENTIALS_DIRECTORY: `/run/credentials/${unit.name}` } : {}),
    ...directories('STATE_DIRECTORY', '/var/lib', unit.stateDirectories),
    ...directories('RUNTIME_DIRECTORY', '/run', unit.runtimeDirectories),
    ...(now.notifySocket === undefined ? {} : { NOTIFY_SOCKET: now.notifySocket }),
    ...(now.mainPid === undefined ? {} : { MAINPID: String(now.mainPid) }),
    ...unit.environment,
    ...now.variables,
  };
  const variables = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
  const cleared = ['env', '--ignore-environment', `--chdir=${unit.workingDirectory}`, ...variables];
  const separate = ['unshare', '--mount', '--propagation', 'private', '--', 'sh', '-c', ENTER, 'sh'];
  return [...cleared, ...separate, ...inside, ...command];
}

function directories(variable: string, root: string, names: readonly string[]): Record<string, string> {
  return names.length === 0 ? {} : { [variable]: names.map((name) => `${root}/${name}`).join(':') };
}

function rights(unit: Unit, groups: string): string[] {
  const user = userOf(unit);
  const others = [...new Set([...groupsWith(user, groups), ...unit.supplementaryGroups])];
  const ambient = ['-all', ...unit.ambient.map((right) => `+${right}`)].join(',');
  return [
    ...(user === 'root' ? [] : [`--reuid=${user}`, `--regid=${unit.group ?? user}`]),
    ...(others.length > 0 && user !== 'root' ? [`--groups=${others.join(',')}`] : ['--clear-groups']),
    ...(unit.noNewPrivileges ? ['--no-new-privs'] : []),
    ...(unit.bounding ? [`--bounding-set=${['-all', ...unit.bounding.map((right) => `+${right}`)].join(',')}`] : []),
    `--inh-caps=${ambient}`,
    `--ambient-caps=${ambient}`,
  ];
}

function groupsWith(user: string, groups: string): string[] {
  const lines = groups.split('\n').map((line) => line.split(':'));
  return lines.filter((fields) => fields[3]?.split(',').includes(user)).map(([name]) => name!);
}
