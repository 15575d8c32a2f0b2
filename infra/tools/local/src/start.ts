import { parseStartOptions } from './start-options.ts';
import { LocalTocsin } from './local-tocsin.ts';
import { claim, AlreadyRunning } from './start-lock.ts';
import { onAskedToStop } from './asked-to-stop.ts';
import { say } from './progress.ts';
import { showUsage } from './usage.ts';

/** `npm start`: see infra/tools/local/README.md. */
async function main(): Promise<number> {
  const options = parseStartOptions(process.argv.slice(2));
  if (typeof options === 'string') {
    return showUsage(options);
  }
  const release = await claim();
  const tocsin = new LocalTocsin(options);
  const asked = askedToStop();
  try {
    const started = tocsin.start(asked.signal);
    await Promise.race([started, asked.promise]);
    await asked.promise;
    say('stopping …');
    await started.catch(() => undefined);
    return 0;
  } finally {
    await tocsin.stop();
    await release();
    say('stopped');
  }
}

function askedToStop(): { promise: Promise<void>; signal: AbortSignal } {
  const controller = new AbortController();
  const promise = new Promise<void>((resolve) => {
    onAskedToStop(() => {
      controller.abort();
      resolve();
    });
  });
  return { promise, signal: controller.signal };
}

try {
  process.exitCode = await main();
} catch (error) {
  if (error instanceof AlreadyRunning) console.error(error.message);
  else console.error(`Tocsin could not start: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
if (process.connected) process.disconnect();
// Idle sockets of health requests must not keep a stopped Tocsin's terminal.
setTimeout(() => process.exit(), 500).unref();
