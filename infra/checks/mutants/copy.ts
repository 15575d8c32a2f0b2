import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { execFileSync, spawn } from 'node:child_process';
import { dirname, join } from 'node:path';

/** How long the tests of one mutant may take. */
const LIMIT_MS = 240_000;

/** A copy of the repository in which anything may be broken. */
export class Copy {
  private constructor(private readonly folder: string) {}

  /** Copies what git does not ignore, as it is now; packages from outside are linked, those of the workspace are the copy's own. */
  static make(root: string, folder: string): Copy {
    rmSync(folder, { recursive: true, force: true });
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
    return new Copy(folder);
  }

  read(file: string): string {
    return readFileSync(join(this.folder, file), 'utf8');
  }

  write(file: string, text: string): void {
    writeFileSync(join(this.folder, file), text);
  }

  /** Runs a spec file, or one test of it. @returns whether it passed */
  passes(test: string, title?: string): Promise<boolean> {
    const args = [join(this.folder, 'node_modules/vitest/vitest.mjs'), 'run', test, ...(title ? ['-t', title] : [])];
    return new Promise((resolve, reject) => {
      const child = spawn(process.execPath, args, { cwd: this.folder, stdio: 'ignore', timeout: LIMIT_MS });
      child.once('error', reject);
      child.once('exit', (code) => resolve(code === 0));
    });
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Or the programs of packages; caches stay where they are. */
function isPackage(name: string): boolean {
  return name === '.bin' || !name.startsWith('.');
}
