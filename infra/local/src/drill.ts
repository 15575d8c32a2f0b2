import { handOver } from './hand-over.ts';

/** `npm run drill`: kills everything and counts what it cost; see e2e/drill. */
handOver('e2e/drill/main.ts');
