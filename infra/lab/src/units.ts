/** What one of our unit files says, as far as the lab does it. Times in milliseconds; Infinity is for ever. */
export interface Unit {
  /** Whole, as in `tocsin@gateway.service`. */
  name: string;
  after: string[];
  wants: string[];
  type: 'exec' | 'notify' | 'oneshot';
  user: string | undefined;
  group: string | undefined;
  supplementaryGroups: string[];
  dynamicUser: boolean;
  environment: Record<string, string>;
  environmentFiles: string[];
  credentials: { id: string; path: string }[];
  execStartPre: string[][];
  execStart: string[][];
  execStartPost: string[][];
  execReload: string[][];
  execStopPost: string[][];
  restart: 'always' | 'no';
  restartMs: number;
  restartPreventExitStatus: number[];
  killSignal: NodeJS.Signals;
  killMode: 'control-group' | 'mixed';
  timeoutStartMs: number;
  timeoutStopMs: number;
  watchdogMs: number | undefined;
  watchdogSignal: NodeJS.Signals;
  /** Below /var/lib and /run. */
  stateDirectories: string[];
  stateMode: string;
  runtimeDirectories: string[];
  runtimeMode: string;
  runtimePreserve: boolean;
  workingDirectory: string;
  privateTmp: boolean;
  noNewPrivileges: boolean;
  /** The only rights that it and its children can ever have; undefined: all that its user has. */
  bounding: string[] | undefined;
  ambient: string[];
  umask: string;
  openFiles: number | undefined;
  nice: number;
}

/** A unit file holds what the lab does not know: it must be taught, or listed as not applied. */
class UnitError extends Error {}

/** What makes no difference to what runs, or can't be had without systemd's own means. The README says so. */
const NOT_APPLIED = new Set(
  `Description Documentation RequiresMountsFor Requisite WantedBy SuccessExitStatus NotifyAccess
  MemoryMax TasksMax OOMPolicy OOMScoreAdjust IOSchedulingClass
  ProtectSystem ReadWritePaths ProtectHome PrivateDevices PrivateIPC PrivateUsers ProtectClock ProtectControlGroups
  ProtectHostname ProtectKernelLogs ProtectKernelModules ProtectKernelTunables ProtectProc ProcSubset
  RestrictAddressFamilies RestrictNamespaces RestrictRealtime RestrictSUIDSGID RemoveIPC LockPersonality
  MemoryDenyWriteExecute SystemCallArchitectures SystemCallFilter`.split(/\s+/),
);

type Setter = (unit: Unit, value: string) => void;

const directives: Record<string, Setter> = {
  After: (unit, value) => unit.after.push(...words(value)),
  Wants: (unit, value) => unit.wants.push(...words(value)),
  StartLimitIntervalSec: (_unit, value) => void oneOf(value, ['0']),
  Type: (unit, value) => (unit.type = oneOf(value, ['exec', 'notify', 'oneshot'])),
  User: (unit, value) => (unit.user = value),
  Group: (unit, value) => (unit.group = value),
  SupplementaryGroups: (unit, value) => unit.supplementaryGroups.push(...words(value)),
  DynamicUser: (unit, value) => (unit.dynamicUser = yes(value)),
  Environment: (unit, value) => Object.assign(unit.environment, assignments(words(value))),
  EnvironmentFile: (unit, value) => unit.environmentFiles.push(value),
  LoadCredential: (unit, value) => unit.credentials.push(credential(value)),
  ExecStartPre: (unit, value) => unit.execStartPre.push(command(value)),
  ExecStart: (unit, value) => unit.execStart.push(command(value)),
  ExecStartPost: (unit, value) => unit.execStartPost.push(command(value)),
  ExecReload: (unit, value) => unit.execReload.push(command(value)),
  ExecStopPost: (unit, value) => unit.execStopPost.push(command(value)),
  Restart: (unit, value) => (unit.restart = oneOf(value, ['always', 'no'])),
  RestartSec: (unit, value) => (unit.restartMs = duration(value)),
  RestartPreventExitStatus: (unit, value) => unit.restartPreventExitStatus.push(...words(value).map(number)),
  KillSignal: (unit, value) => (unit.killSignal = signal(value)),
  KillMode: (unit, value) => (unit.killMode = oneOf(value, ['control-group', 'mixed'])),
  TimeoutStartSec: (unit, value) => (unit.timeoutStartMs = duration(value)),
  TimeoutStopSec: (unit, value) => (unit.timeoutStopMs = duration(value)),
  WatchdogSec: (unit, value) => (unit.watchdogMs = duration(value)),
  WatchdogSignal: (unit, value) => (unit.watchdogSignal = signal(value)),
  StateDirectory: (unit, value) => unit.stateDirectories.push(...words(value)),
  StateDirectoryMode: (unit, value) => (unit.stateMode = value),
  RuntimeDirectory: (unit, value) => unit.runtimeDirectories.push(...words(value)),
  RuntimeDirectoryMode: (unit, value) => (unit.runtimeMode = value),
  RuntimeDirectoryPreserve: (unit, value) => (unit.runtimePreserve = yes(value)),
  WorkingDirectory: (unit, value) => (unit.workingDirectory = value),
  PrivateTmp: (unit, value) => (unit.privateTmp = yes(value)),
  NoNewPrivileges: (unit, value) => (unit.noNewPrivileges = yes(value)),
  CapabilityBoundingSet: (unit, value) => (unit.bounding = words(value).map(capability)),
  AmbientCapabilities: (unit, value) => (unit.ambient = words(value).map(capability)),
  UMask: (unit, value) => (unit.umask = value),
  LimitNOFILE: (unit, value) => (unit.openFiles = number(value)),
  Nice: (unit, value) => (unit.nice = number(value)),
};

/**
 * Reads a unit: its file, then what its drop-ins add.
 * @param name the whole name; of a template, with its instance
 * @throws UnitError that names the line of what the lab does not know
 */
export function parseUnit(name: string, texts: readonly string[]): Unit {
  const unit = plainUnit(name);
  for (const text of texts) {
    // A line that ends with a backslash goes on in the next.
    const lines = text.replaceAll('\\\n', ' ').split('\n');
    for (const line of lines.map((one) => one.trim())) {
      if (line === '' || /^([#;]|\[(Unit|Service|Install)\]$)/.test(line)) continue;
      const [key, value] = split(line, '=');
      if (NOT_APPLIED.has(key)) continue;
      try {
        const set = directives[key];
        if (!set) throw new UnitError('the lab does not know this; teach it, or list it as not applied');
        set(unit, withSpecifiers(name, value));
      } catch (error) {
        throw new UnitError(`${name}: ${line}: ${(error as Error).message}`, { cause: error });
      }
    }
  }
  if (unit.execStart.length !== 1) throw new UnitError(`${name}: it must have one ExecStart`);
  return unit;
}

/** `tocsin@.service` of `tocsin@gateway.service`; any other name as it is. */
export function fileOf(name: string): string {
  return name.replace(/@.*\./, '@.');
}

/** What systemd takes where a unit says nothing. */
function plainUnit(name: string): Unit {
  return {
    name,
    after: [],
    wants: [],
    type: 'exec',
    user: undefined,
    group: undefined,
    supplementaryGroups: [],
    dynamicUser: false,
    environment: {},
    environmentFiles: [],
    credentials: [],
    execStartPre: [],
    execStart: [],
    execStartPost: [],
    execReload: [],
    execStopPost: [],
    restart: 'no',
    restartMs: 100,
    restartPreventExitStatus: [],
    killSignal: 'SIGTERM',
    killMode: 'control-group',
    timeoutStartMs: 90_000,
    timeoutStopMs: 90_000,
    watchdogMs: undefined,
    watchdogSignal: 'SIGABRT',
    stateDirectories: [],
    stateMode: '0755',
    runtimeDirectories: [],
    runtimeMode: '0755',
    runtimePreserve: false,
    workingDirectory: '/',
    privateTmp: false,
    noNewPrivileges: false,
    bounding: undefined,
    ambient: [],
    umask: '0022',
    openFiles: undefined,
    nice: 0,
  };
}

function withSpecifiers(name: string, value: string): string {
  const known: Record<string, string> = {
    '%': '%',
    n: name,
    i: /@(.*)\./.exec(name)?.[1] ?? '',
    d: `/run/credentials/${name}`,
  };
  return value.replace(/%(.)/g, (whole, letter: string) => {
    const meant = known[letter];
    if (meant === undefined) throw new UnitError(`the lab does not know ${whole}`);
    return meant;
  });
}

function command(value: string): string[] {
  if (!/^[/\w]/.test(value)) throw new UnitError('the lab does not know what stands before this command');
  const found = words(value);
  const variable = found.find((word) => word.includes('${') || (word.startsWith('$') && word !== '$MAINPID'));
  if (variable !== undefined) throw new UnitError(`the lab puts no variables into commands: ${variable}`);
  return found;
}

/** Words, which may stand in quotation marks. */
function words(value: string): string[] {
  return [...value.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map((match) => match[1] ?? match[2] ?? match[3] ?? '');
}

/** NAME=value, one a line or word, as an environment file has them. */
export function assignments(lines: readonly string[]): Record<string, string> {
  return Object.fromEntries(lines.filter((line) => /^\w+=/.test(line)).map((line) => split(line, '=')));
}

function credential(value: string): { id: string; path: string } {
  const [id, path] = split(value, ':');
  return { id, path };
}

function split(text: string, by: string): [string, string] {
  const at = text.indexOf(by);
  if (at < 0) throw new UnitError(`there is no "${by}" in it`);
  return [text.slice(0, at).trim(), text.slice(at + 1).trim()];
}

function oneOf<T extends string>(value: string, known: readonly T[]): T {
  const found = known.find((one) => one === value);
  if (found === undefined) throw new UnitError(`the lab knows only ${known.join(', ')} here`);
  return found;
}

function yes(value: string): boolean {
  return oneOf(value, ['yes', 'no']) === 'yes';
}

function number(value: string): number {
  if (!/^-?\d+$/.test(value)) throw new UnitError('the lab knows only a whole number here');
  return Number(value);
}

function signal(value: string): NodeJS.Signals {
  if (!/^SIG[A-Z0-9]+$/.test(value)) throw new UnitError('the lab knows only the name of a signal here');
  return value as NodeJS.Signals;
}

/** CAP_NET_ADMIN as setpriv calls it. */
function capability(value: string): string {
  const name = /^CAP_([A-Z_]+)$/.exec(value)?.[1];
  if (!name) throw new UnitError('the lab knows only names of capabilities here');
  return name.toLowerCase();
}

const MS: Record<string, number> = { ms: 1, s: 1_000, '': 1_000, min: 60_000, h: 3_600_000 };

function duration(value: string): number {
  if (value === 'infinity') return Infinity;
  const match = /^(\d+)(ms|s|min|h|)$/.exec(value);
  if (!match) throw new UnitError('the lab knows only times like 200ms, 5s, 2min, 6h and infinity');
  return Number(match[1]) * MS[match[2]!]!;
}
