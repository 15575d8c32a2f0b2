import { parseStartOptions } from './start-options.ts';
import { LocalTocsin } from './local-tocsin.ts';
import { claim, AlreadyRunning } from './start-lock.ts';
import { say } from './progress.ts';

/** `npm start`: see infra/local/README.md. */
async function main(): Promise<number> {
  const options = parseStartOptions(process.argv.slice(2));
  if (typeof options === 'string') {
    console.error(options);
    return 2;
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

/** Ctrl-C, a polite kill, a closed terminal, or the death of what ran us. A second Ctrl-C changes nothing: stopping is bounded. */
function askedToStop(): { promise: Promise<void>; signal: AbortSignal } {
  const controller = new AbortController();
  const promise = new Promise<void>((resolve) => {
    const stop = (): void => {
      controller.abort();
      resolve();
    };
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop);
    process.on('disconnect', stop);
    const parent = process.ppid;
    setInterval(() => process.ppid !== parent && stop(), 1_000).unref();
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
