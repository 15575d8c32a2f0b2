import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { type RunningPostgres, startPostgres, temporaryDir } from './servers/index.ts';
import { atTheEnd } from './cleanup.ts';

const run = promisify(execFile);

/** Starts a primary and a standby that follows it, for this spec file. Nobody promotes the standby but the test. */
export async function postgresPair(): Promise<{ primary: RunningPostgres; standby: RunningPostgres }> {
  const [primaryDir, standbyDir] = [temporaryDir('primary'), temporaryDir('standby')];
  const primary = await startPostgres({ dataDir: primaryDir, durable: false });
  atTheEnd(() => primary.stop());
  await primary.stop();
  await run('cp', ['-a', `${primaryDir}/.`, standbyDir]);
  await primary.start();
  const standby = await startPostgres({ dataDir: standbyDir, durable: false, standbyOf: primary });
  atTheEnd(() => standby.stop());
  return { primary, standby };
}
