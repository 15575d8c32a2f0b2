type Cleanup = () => Promise<void> | void;

const waiting: Cleanup[] = [];

/** Runs after the last test of the present spec file; may be called from anywhere, hooks and tests too. */
export function atTheEnd(cleanup: Cleanup): void {
  waiting.push(cleanup);
}

/** Called once per spec file by the setup file: what was started last is stopped first, and every one is tried. */
export async function cleanUp(): Promise<void> {
  const failures: unknown[] = [];
  for (const cleanup of waiting.splice(0).toReversed()) {
    try {
      await cleanup();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw new AggregateError(failures, 'Cleaning up after this spec file failed.');
}
