import { rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type RunningPostgres, startPostgres, temporaryDir } from './servers/index.ts';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    /** Where a spec file asks for the PostgreSQL server that the whole run shares. */
    tocsinPostgresDesk: string;
  }
}

/** One PostgreSQL for the whole run, started when the first spec asks for it: runs of unit tests alone start nothing. */
export function setup(project: TestProject): Promise<() => Promise<void>> {
  let starting: Promise<RunningPostgres> | undefined;
  const runDir = temporaryDir('run');
  // Workers inherit it: whatever a spec leaves behind goes with the run.
  process.env.TOCSIN_TMP = runDir;
  const dataDir = join(runDir, 'postgres');
  const desk = createServer((_request, response) => {
    starting ??= startPostgres({ durable: false, dataDir });
    starting.then(
      (server) => response.end(JSON.stringify({ superuserUrl: server.superuserUrl })),
      (error: unknown) => response.writeHead(500).end(error instanceof Error ? error.message : String(error)),
    );
  });
  const close = async (): Promise<void> => {
    desk.closeAllConnections();
    desk.close();
    await (await starting?.catch(() => undefined))?.stop();
    rmSync(runDir, { recursive: true, force: true });
  };
  return new Promise((resolve) => {
    desk.listen(0, '127.0.0.1', () => {
      project.provide('tocsinPostgresDesk', `http://127.0.0.1:${(desk.address() as AddressInfo).port}`);
      resolve(close);
    });
  });
}
