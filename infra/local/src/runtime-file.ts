import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { inTocsin } from './paths.ts';

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

/** Replaces the file in one step: a reader sees the old or the new one, never half of it. */
export function writeRuntime(runtime: Runtime): void {
  const file = inTocsin('runtime.json');
  writeFileSync(`${file}.new`, `${JSON.stringify(runtime, null, 2)}\n`);
  renameSync(`${file}.new`, file);
}

/** Nothing runs any more. */
export function removeRuntime(): void {
  rmSync(inTocsin('runtime.json'), { force: true });
}

/** `.tocsin/env/<service>.env`, for one more instance from source beside the running ones (`nx serve`). */
export function writeEnvironmentFile(service: string, environment: Record<string, string>): void {
  mkdirSync(inTocsin('env'), { recursive: true });
  const lines = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
  writeFileSync(inTocsin('env', `${service}.env`), `${lines.join('\n')}\n`, { mode: 0o600 });
}
