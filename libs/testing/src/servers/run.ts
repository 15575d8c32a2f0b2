import { spawn } from 'node:child_process';

/** What a short-lived command left behind. */
export interface Ran {
  code: number;
  stdout: string;
  /** Both streams, for error messages; the last 20 kB. */
  output: string;
}

/** Runs a command to its end; never throws. A command that can't be run at all has the code 127. */
export function run(
  command: string,
  args: string[],
  o: { env?: NodeJS.ProcessEnv; cwd?: string; timeoutMs?: number } = {},
): Promise<Ran> {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      env: o.env ?? process.env,
      cwd: o.cwd,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: o.timeoutMs ?? 120_000,
    });
    let stdout = '';
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => {
      if (stdout.length < 1_000_000) stdout += chunk.toString();
      output = (output + chunk.toString()).slice(-20_000);
    });
    child.stderr.on('data', (chunk: Buffer) => {
      output = (output + chunk.toString()).slice(-20_000);
    });
    child.once('error', (error) => resolve({ code: 127, stdout, output: `${output}${error.message}` }));
    child.once('close', (code) => resolve({ code: code ?? 1, stdout, output }));
  });
}
