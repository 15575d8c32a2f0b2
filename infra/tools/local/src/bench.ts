import { handOver } from './hand-over.ts';

/** `npm run bench`: the measurements of bench/. */
handOver('bench/src/main.ts');
