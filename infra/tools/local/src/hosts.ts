import { buildApps } from './build-apps.ts';
import { handOver } from './hand-over.ts';
import { asksForHelp } from './usage.ts';

/** `npm run hosts`: writes what the hosts of an inventory need; see infra/deploy/hosts. They run built apps. */
if (!asksForHelp()) await buildApps(new AbortController().signal);
handOver('infra/deploy/hosts/src/main.ts');
