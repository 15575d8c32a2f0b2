import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { violations } from './boundaries.ts';
import { filesBelow, specifiersIn } from './imports.ts';

const root = resolve(fileURLToPath(new URL('../../..', import.meta.url)));

describe('boundaries', () => {
  it('are kept by this workspace', () => {
    expect(violations(root).map(({ file, specifier, why }) => `${file} imports ${specifier}: ${why}`)).toEqual([]);
  });

  it('are judged over files that are really there', () => {
    expect(filesBelow(join(root, 'libs/core')).length).toBeGreaterThan(3);
  });
});

describe('the check of boundaries', () => {
  const made: string[] = [];
  afterAll(() => made.forEach((folder) => rmSync(folder, { recursive: true, force: true })));

  function judged(files: Record<string, string>): string[] {
    const folder = mkdtempSync(join(tmpdir(), 'tocsin-boundaries-'));
    made.push(folder);
    for (const name of ['apps/gateway', 'apps/prober', 'libs/core', 'libs/cache', 'libs/messaging']) {
      files[`${name}/package.json`] ??= '{}';
    }
    for (const [file, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, file)), { recursive: true });
      writeFileSync(join(folder, file), text);
    }
    return violations(folder).map(({ file, why }) => `${file}: ${why}`);
  }

  it.each([
    ['an app that imports another', 'apps/gateway/src/a.ts', '@tocsin/prober', 'NATS is the only road'],
    ['a lib that imports an app', 'libs/cache/src/a.ts', '@tocsin/prober', 'NATS is the only road'],
    ['a lib outside its table', 'libs/cache/src/a.ts', '@tocsin/messaging', 'cache may import core'],
    ['a lib that is in no table', 'libs/new/src/a.ts', '@tocsin/core', 'not in the table'],
    ['a package in core', 'libs/core/src/a.ts', 'zod', 'core is pure'],
    ['test helpers in an app', 'apps/prober/src/a.ts', '@tocsin/testing', 'for tests only'],
    ['NATS outside messaging', 'apps/prober/src/a.ts', '@nats-io/transport-node', 'only messaging'],
    ['NATS in a test elsewhere', 'apps/prober/test/a.int-spec.ts', '@nats-io/kv', 'only messaging'],
    ['ioredis outside cache', 'libs/messaging/src/a.ts', 'ioredis', 'only cache'],
    ['the database driver outside database', 'apps/gateway/src/a.ts', 'pg', 'only database'],
    ['the OpenTelemetry SDK outside telemetry', 'libs/cache/src/a.ts', '@opentelemetry/sdk-trace', 'only telemetry'],
    ['a deep import', 'apps/prober/src/a.ts', '@tocsin/core/src/ids.ts', 'a deep import'],
    [
      'a relative way into another package',
      'apps/prober/src/a.ts',
      '../../../libs/core/src/ids.ts',
      'leaves its package',
    ],
  ])('finds %s', (_, file, specifier, why) => {
    const found = judged({ 'libs/new/package.json': '{}', [file]: `import { a } from '${specifier}';` });
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(why);
  });

  it('allows what the design allows', () => {
    const allowed = {
      'apps/prober/src/a.ts': `import { a } from '@tocsin/core';\nimport { b } from './b.ts';\nimport { trace } from '@opentelemetry/api';`,
      'apps/prober/test/a.int-spec.ts': `import { natsServer } from '@tocsin/testing';\nimport { s } from '../src/a.ts';`,
      'libs/messaging/src/a.ts': `import { connect } from '@nats-io/transport-node';\nimport { a } from '@tocsin/core';`,
    };
    expect(judged(allowed)).toEqual([]);
  });

  it.each([
    [`import type { A } from 'x';`, ['x']],
    [`export * from "x";`, ['x']],
    [`import 'x';`, ['x']],
    [`const a = await import('x');`, ['x']],
    [`const a = createRequire(import.meta.url)('x') as A;`, ['x']],
    [`import {\n  a,\n  b,\n} from 'x';\nimport c from 'y';`, ['x', 'y']],
    [`// import a from 'x'\n/* import b from 'y' */`, []],
  ])('sees the imports of %j', (source, expected) => {
    expect(specifiersIn(source)).toEqual(expected);
  });
});
