import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { projectRoot } from '@tocsin/testing/servers';

/**
 * Builds every app whose sources changed since its last build (nx keeps the rest).
 * @throws with the end of the build's output; stops when the signal says so.
 */
export function buildApps(signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const nx = join(projectRoot, 'node_modules', '.bin', 'nx');
    const child = spawn(nx, ['run-many', '-t', 'build', '-p', 'tag:type:app', '--outputStyle=static'], {
      cwd: projectRoot,
      env: { ...process.env, NX_DAEMON: 'false', NX_TUI: 'false', FORCE_COLOR: '0' },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
      signal,
    });
    let output = '';
    const collect = (chunk: Buffer): void => {
      output = (output + chunk.toString()).slice(-8_000);
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    child.once('error', (error) => reject(new Error(`The build can't be run: ${error.message}`, { cause: error })));
    child.once('close', (code) => {
      if (code === 0) resolve();
      else reject(new Error(`The build failed; \`npm run build\` shows it alone:\n${output.trim()}`));
    });
  });
}
