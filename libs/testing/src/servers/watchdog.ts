import { spawn, type ChildProcess } from 'node:child_process';

/**
 * A shell that outlives us by a few seconds. It reads "add SIGNAL PID" and "drop PID" lines; when its input ends, because
 * we ended in whatever way (SIGKILL included), it stops every process still on its list, and kills what has not stopped.
 */
const SCRIPT = `
trap '' INT TERM HUP
list=""
while read -r what first second; do
  case "$what" in
    add) list="$list $second:$first" ;;
    drop) kept=""; for entry in $list; do [ "\${entry%%:*}" = "$first" ] || kept="$kept $entry"; done; list="$kept" ;;
  esac
done
for entry in $list; do kill -CONT "\${entry%%:*}" 2>/dev/null; kill -"\${entry##*:}" "\${entry%%:*}" 2>/dev/null; done
turns=0
while [ -n "$list" ] && [ $turns -lt 50 ]; do
  alive=""; for entry in $list; do kill -0 "\${entry%%:*}" 2>/dev/null && alive="$alive $entry"; done
  list="$alive"; turns=$((turns+1)); [ -z "$list" ] || sleep 0.1
done
for entry in $list; do kill -KILL "\${entry%%:*}" 2>/dev/null; done
`;

let shell: ChildProcess | undefined;

/** From now on this process is stopped when we die. `stopSignal` is what ends it in order. */
export function guard(pid: number, stopSignal: NodeJS.Signals): void {
  if (!shell || shell.exitCode !== null || shell.signalCode !== null) shell = launch();
  shell.stdin?.write(`add ${stopSignal.replace('SIG', '')} ${pid}\n`);
}

/** The process has ended: its id may soon belong to another, so it must not be signalled any more. */
export function unguard(pid: number): void {
  shell?.stdin?.write(`drop ${pid}\n`);
}

function launch(): ChildProcess {
  const started = spawn('sh', ['-c', SCRIPT], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
  started.stdin?.on('error', () => undefined);
  started.unref();
  (started.stdin as unknown as { unref?(): void } | null)?.unref?.();
  return started;
}
