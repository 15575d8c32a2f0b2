import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { rm } from 'node:fs/promises';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type Outcome, outcomeOf, type TestReport } from './outcome.ts';

/** How long the tests of one mutant may take. */
const LIMIT_MS = 240_000;

/** A copy of the repository in which anything may be broken. */
export class Copy {
  private readonly folder = mkdtempSync(join(tmpdir(), 'tocsin-mutants-'));

  /** @param stopped ends what runs in it */
  constructor(private readonly stopped: AbortSignal) {}

  /** Copies what git does not ignore, as it is now; packages from outside are linked, those of the workspace are the copy's own. */
  fill(root: string): void {
    const folder = this.folder;
    const files = execFileSync('git', ['ls-files', '-coz', '--exclude-standard'], { cwd: root, encoding: 'utf8' })
      .split('\0')
      .filter(Boolean);
    for (const file of files) {
      mkdirSync(dirname(join(folder, file)), { recursive: true });
      cpSync(join(root, file), join(folder, file));
    }
    mkdirSync(join(folder, 'node_modules'));
    for (const name of readdirSync(join(root, 'node_modules')).filter(isPackage)) {
      const [from, to] = [join(root, 'node_modules', name), join(folder, 'node_modules', name)];
      // Links to the workspace are relative: copied as they are, they lead to the copy.
      if (name === '@tocsin') cpSync(from, to, { recursive: true, verbatimSymlinks: true });
      else symlinkSync(from, to);
    }
    // The servers that were fetched for the repository serve the copy, too.
    mkdirSync(join(folder, '.tocsin'));
    symlinkSync(join(root, '.tocsin/servers'), join(folder, '.tocsin/servers'));
  }

  read(file: string): string {
    return readFileSync(join(this.folder, file), 'utf8');
  }

  write(file: string, text: string): void {
    writeFileSync(join(this.folder, file), text);
  }

  /** Runs a spec file, or one test of it. */
  async run(test: string, title?: string): Promise<Outcome> {
    const report = join(this.folder, '.tocsin/report.json');
    rmSync(report, { force: true });
    const vitest = join(this.folder, 'node_modules/vitest/vitest.mjs');
    const args = [vitest, 'run', test, '--reporter=json', `--outputFile=${report}`, ...(title ? ['-t', title] : [])];
    const child = spawn(process.execPath, args, { cwd: this.folder, stdio: 'ignore', timeout: LIMIT_MS });
    const kill = (): boolean => child.kill();
    this.stopped.addEventListener('abort', kill);
    const [code] = (await once(child, 'exit')) as [number | null];
    this.stopped.removeEventListener('abort', kill);
    return outcomeOf(code, existsSync(report) ? (JSON.parse(readFileSync(report, 'utf8')) as TestReport) : undefined);
  }

  /** Servers of tests that were killed go on writing for some seconds. */
  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 500 });
  }
}

/** Or the programs of packages; caches stay where they are. */
function isPackage(name: string): boolean {
  return name === '.bin' || !name.startsWith('.');
}
