/** What a host's `init` can be told. */
export type Command =
  | { do: 'start' | 'stop' | 'restart' | 'reload'; units: string[] }
  /** To the main process, or to all of a unit: SIGKILL, or SIGSTOP and SIGCONT to freeze it. */
  | { do: 'signal'; units: string[]; signal: NodeJS.Signals; whom: 'main' | 'all' }
  /** To every process of the host; what it has running is frozen, but its `init` still listens. */
  | { do: 'signal-host'; signal: NodeJS.Signals }
  | { do: 'status' };

/** What `status` answers for each unit. */
export interface UnitStatus {
  state: string;
  /** As the host counts them, like `pids`. */
  pid?: number;
  pids: number[];
  restarts: number;
}
