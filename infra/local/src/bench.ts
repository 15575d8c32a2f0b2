import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { projectRoot } from './paths.ts';

/** `npm run bench`: the measurements of bench/, under the same Node and with its arguments. */
const child = spawn(
  process.execPath,
  ['--import', '@oxc-node/core/register', join(projectRoot, 'bench/src/main.ts'), ...process.argv.slice(2)],
  { cwd: projectRoot, stdio: 'inherit' },
);
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => child.kill('SIGTERM'));
process.on('disconnect', () => child.kill('SIGTERM'));
child.once('exit', (code) => {
  process.exitCode = code ?? 1;
  if (process.connected) process.disconnect();
});
