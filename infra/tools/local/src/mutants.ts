import { handOver } from './hand-over.ts';

/** `npm run mutants`: takes out each mechanism and sees its test fail; see infra/tools/checks/mutants. */
handOver('infra/tools/checks/mutants/main.ts');
