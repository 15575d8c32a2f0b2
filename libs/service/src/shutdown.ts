import { logger, stopTelemetry } from '@tocsin/telemetry';

const SIGNALS = ['SIGTERM', 'SIGINT'] as const;
const FORCED_EXIT_CODE = 1;
const log = logger('stop');

/**
 * Runs `stop` on the first SIGTERM or SIGINT and then exits with 0. A second signal exits at once, and so does the
 * bound: what has not stopped within `boundMs` is left to those who take over, with exit code 1.
 */
export function stopOnSignal(boundMs: number, stop: (signal: string) => Promise<void>): void {
  let stopping = false;
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      if (stopping) {
        log.warn({ signal }, 'told to stop twice: exiting at once');
        process.exit(FORCED_EXIT_CODE);
      }
      stopping = true;
      void stopWithin(boundMs, () => stop(signal));
    });
  }
}

async function stopWithin(boundMs: number, stop: () => Promise<void>): Promise<void> {
  setTimeout(() => {
    log.error({ boundMs }, 'stopping took longer than TOCSIN_SHUTDOWN_MS: exiting with work unfinished');
    process.exit(FORCED_EXIT_CODE);
  }, boundMs).unref();
  try {
    await stop();
    log.info('stopped');
    await stopTelemetry();
    process.exit(0);
  } catch (error) {
    log.error({ err: error }, 'stopping failed');
    process.exit(FORCED_EXIT_CODE);
  }
}

/** A defect leaves unknown state behind: say so and exit, to be started again clean. */
export function exitOnDefect(): void {
  const die = (kind: string) => (error: unknown) => {
    log.fatal({ err: error instanceof Error ? error : new Error(String(error)) }, kind);
    process.exit(FORCED_EXIT_CODE);
  };
  process.on('uncaughtException', die('uncaught exception'));
  process.on('unhandledRejection', die('unhandled rejection'));
}
