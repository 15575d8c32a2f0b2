import { buildApps } from './build-apps.ts';
import { handOver } from './hand-over.ts';

/** `npm run hosts`: writes what the hosts of an inventory need; see infra/hosts. They run built apps. */
await buildApps(new AbortController().signal);
handOver('infra/hosts/src/main.ts');
