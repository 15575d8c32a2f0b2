import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { projectRoot } from './paths.ts';

/** Runs a script of this workspace under the same Node with our arguments, and ends as it ends. */
export function handOver(script: string): void {
  const child = spawn(
    process.execPath,
    ['--import', '@oxc-node/core/register', join(projectRoot, script), ...process.argv.slice(2)],
    { cwd: projectRoot, stdio: 'inherit' },
  );
  process.on('SIGINT', () => undefined);
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  process.on('disconnect', () => child.kill('SIGTERM'));
  child.once('exit', (code) => {
    process.exitCode = code ?? 1;
    if (process.connected) process.disconnect();
  });
}
