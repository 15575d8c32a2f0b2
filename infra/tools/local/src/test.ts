import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { findOrFetchServers, projectRoot, removeForgotten } from '@tocsin/testing/servers';
import { endWith } from './hand-over.ts';

/** `npm test`: finds or fetches the servers first, with progress, then runs every test. Arguments go to vitest. */
async function main(): Promise<number> {
  await findOrFetchServers({ progress: (line) => console.log(line) });
  removeForgotten();
  return await new Promise((resolve) => {
    const vitest = join(projectRoot, 'node_modules', 'vitest', 'vitest.mjs');
    const child = spawn(process.execPath, [vitest, 'run', ...process.argv.slice(2)], {
      cwd: projectRoot,
      stdio: 'inherit',
    });
    endWith(child);
    child.once('exit', (code) => resolve(code ?? 1));
  });
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
if (process.connected) process.disconnect();
