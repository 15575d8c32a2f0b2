import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { projectRoot } from '@tocsin/testing/servers';
import { onAskedToStop } from './asked-to-stop.ts';

/** Runs a script of this workspace under the same Node with our arguments, and ends as it ends. */
export function handOver(script: string): void {
  const child = spawn(
    process.execPath,
    ['--import', '@oxc-node/core/register', join(projectRoot, script), ...process.argv.slice(2)],
    { cwd: projectRoot, stdio: 'inherit' },
  );
  endWith(child);
  child.once('exit', (code) => {
    process.exitCode = code ?? 1;
    if (process.connected) process.disconnect();
  });
}

/** Passes it on when this process alone is asked to stop. Twice would end some programs at once. */
export function endWith(child: ChildProcess): void {
  onAskedToStop(({ signal, whom }) => {
    if (whom === 'alone') child.kill(signal);
  });
}
