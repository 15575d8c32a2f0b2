import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { inTocsin, type TocsinRuntime } from '@tocsin/testing/servers';

/** Writes `.tocsin/runtime.json`, and beside it the address of the first gateway for a shell: `$(cat .tocsin/url)`. */
export function writeRuntime(runtime: TocsinRuntime): void {
  replace('runtime.json', JSON.stringify(runtime, null, 2));
  const [gateway] = runtime.gateways;
  if (gateway !== undefined) replace('url', gateway);
}

/** Nothing runs any more. */
export function removeRuntime(): void {
  for (const file of ['runtime.json', 'url']) rmSync(inTocsin(file), { force: true });
}

/** Replaces a file in one step: a reader sees the old or the new one, never half of it. */
function replace(name: string, text: string): void {
  const file = inTocsin(name);
  writeFileSync(`${file}.new`, `${text}\n`);
  renameSync(`${file}.new`, file);
}

/** `.tocsin/env/<service>.env`, for one more instance from source beside the running ones (`nx serve`). */
export function writeEnvironmentFile(service: string, environment: Record<string, string>): void {
  mkdirSync(inTocsin('env'), { recursive: true });
  const lines = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
  writeFileSync(inTocsin('env', `${service}.env`), `${lines.join('\n')}\n`, { mode: 0o600 });
}
