import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { buildApp } from '../build.ts';

const execute = promisify(execFile);

describe('a built app', () => {
  const out = mkdtempSync(join(tmpdir(), 'tocsin-build-'));
  afterAll(() => rmSync(out, { recursive: true, force: true }));

  it('runs from a folder with nothing but Node: injection by type works and its migrations are beside it', async () => {
    const folder = await buildApp('infra/tools/build/test/fixtures/toy-app', out);
    const ran = await execute(process.execPath, [join(folder, 'bin/main.js')], { cwd: folder, env: {} });
    expect(ran.stdout).toBe('injected SELECT 1;');
    expect(JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))).toMatchObject({
      name: '@tocsin/toy-app',
      version: '1.2.3',
      scripts: { start: 'node bin/main.js' },
    });
  });

  it('is refused for a folder that is no app, saying which to name', async () => {
    await expect(buildApp('libs/core', out)).rejects.toThrow('libs/core has no src/main.ts');
  });
});
