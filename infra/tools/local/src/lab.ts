import { removeForgotten } from '@tocsin/testing/servers';
import { buildApps } from './build-apps.ts';
import { handOver } from './hand-over.ts';
import { asksForHelp } from './usage.ts';

/** `npm run lab`: breaks a small data centre and counts what it cost; see e2e/lab. Its hosts run built apps. */
if (!asksForHelp()) {
  removeForgotten();
  await buildApps(new AbortController().signal);
}
handOver('e2e/lab/main.ts');
