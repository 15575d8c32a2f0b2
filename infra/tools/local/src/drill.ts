import { removeForgotten } from '@tocsin/testing/servers';
import { buildApps } from './build-apps.ts';
import { handOver } from './hand-over.ts';
import { asksForHelp } from './usage.ts';

/** `npm run drill`: kills everything and counts what it cost; see e2e/drill. It exchanges built apps, so they are built first. */
if (!asksForHelp()) {
  removeForgotten();
  await buildApps(new AbortController().signal);
}
handOver('e2e/drill/main.ts');
