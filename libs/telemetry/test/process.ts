import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export interface Ended {
  code: number | null;
  lines: Record<string, unknown>[];
  elapsedMs: number;
}

/** Runs `body` as a module in a process of its own, with telemetry's exports in scope, and collects its log. */
export function runProcess(body: string, env: Record<string, string> = {}): Promise<Ended> {
  const index = fileURLToPath(new URL('../src/index.ts', import.meta.url));
  const script = `
    const telemetry = await import(${JSON.stringify(index)});
    const api = await import('@opentelemetry/api');
    const { startTelemetry, stopTelemetry, logger, metricsText, withSpan, NestLogger } = telemetry;
    ${body}`;
  const startedAt = performance.now();
  const child = spawn(
    process.execPath,
    ['--import', '@oxc-node/core/register', '--input-type=module', '--eval', script],
    { cwd: fileURLToPath(new URL('..', import.meta.url)), env: { ...process.env, NODE_OPTIONS: '', ...env } },
  );
  let out = '';
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (out += chunk.toString()));
  return new Promise((resolve) => {
    child.on('close', (code) => resolve({ code, lines: parsed(out), elapsedMs: performance.now() - startedAt }));
  });
}

function parsed(out: string): Record<string, unknown>[] {
  return out
    .split('\n')
    .filter(Boolean)
    .map((line) => {
      try {
        return JSON.parse(line) as Record<string, unknown>;
      } catch {
        return { text: line };
      }
    });
}
