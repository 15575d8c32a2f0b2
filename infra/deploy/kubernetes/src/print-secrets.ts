// Prints the Secrets of a new deployment for `kubectl create -f -`, which refuses to replace any that is there.
import { newSecrets } from './secrets.ts';

console.log(JSON.stringify({ apiVersion: 'v1', kind: 'List', items: newSecrets() }, null, 2));
