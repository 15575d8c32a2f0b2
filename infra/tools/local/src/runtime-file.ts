import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { inTocsin } from '@tocsin/testing/servers';

/** What scripts read in `.tocsin/runtime.json` while Tocsin runs. */
export interface Runtime {
  pid: number;
  /** True when every instance has been ready. */
  ready: boolean;
  gateways: string[];
  instances: { service: string; instance: string; pid: number; health: string; log: string }[];
  servers: Record<string, { url: string; pid: number }>;
  /** The file that holds the admin's API token. */
  tokenFile: string;
  /** The page of Jaeger, when it runs here. */
  jaeger?: string;
  /** With `--drill`: the address of the control port. */
  control?: string;
  /** With `--drill`: the process that carries the links. */
  links?: { pid: number };
}

/** Beside it the address of the first gateway has a file of its own, for a shell: `$(cat .tocsin/url)`. */
export function writeRuntime(runtime: Runtime): void {
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
