import { handOver } from './hand-over.ts';

/** `npm run mutants`: takes out each mechanism and sees its test fail; see infra/checks/mutants. */
handOver('infra/checks/mutants/main.ts');
