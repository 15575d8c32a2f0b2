import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { projectRoot } from '@tocsin/testing/servers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { crossings, libs, rules } from './boundaries.ts';

describe('the boundaries of this workspace', () => {
  it('are crossed by no import', async () => {
    const { found, files } = await crossings(projectRoot);
    expect(found).toEqual([]);
    expect(files).toBeGreaterThan(1_000);
  });
});

/** An import that each rule forbids: which rule, in which file, how it is written. */
const forbidden: [rule: string, file: string, code: string][] = [
  ['exports-only', 'apps/prober/src/deep.ts', `import { a } from '@tocsin/core/src/index.ts';`],
  ['exports-only', 'apps/prober/src/missing.ts', `import { a } from 'not-installed';`],
  ['own-room', 'apps/prober/src/relative.ts', `import { a } from '../../../libs/core/src/index.ts';`],
  ['own-room', 'infra/deploy/hosts/src/relative.ts', `import { a } from '../../../tools/local/src/index.ts';`],
  ['apps-by-nats', 'apps/gateway/src/other-app.ts', `import { a } from '../../prober/src/index.ts';`],
  ['apps-by-nats', 'e2e/app.ts', `import { a } from '../apps/prober/src/index.ts';`],
  ['deployable', 'apps/prober/src/testing.ts', `import { a } from '@tocsin/testing';`],
  ['deployable', 'libs/cache/src/tools.ts', `export * from '@tocsin/local';`],
  ['infra-above', 'libs/testing/src/tools.ts', `import { a } from '@tocsin/local';`],
  ['infra-above', 'libs/cache/test/tools.int-spec.ts', `import { a } from '@tocsin/local';`],
  ['whole-above', 'infra/lab/src/whole.ts', `import { a } from '@tocsin/e2e';`],
  ['listed-lib', 'libs/new/src/any.ts', `import { a } from '@tocsin/core';`],
  ['pure-core', 'libs/core/src/package.ts', `import type { A } from 'zod';`],
  ['home-of-nats', 'apps/prober/test/nats.int-spec.ts', `const a = await import('@nats-io/kv');`],
  ['home-of-redis', 'libs/messaging/src/redis.ts', `import a from 'ioredis';`],
  ['home-of-pg', 'apps/gateway/src/pg.ts', `import 'pg';`],
  ['home-of-otel', 'libs/cache/src/otel.ts', `import { a } from '@opentelemetry/sdk-trace';`],
  ...Object.entries(libs).map(([name, allowed]): [string, string, string] => {
    const other = Object.keys(libs).find((one) => one !== name && one !== 'testing' && !allowed.includes(one));
    return [`lib-${name}`, `libs/${name}/src/other-lib.ts`, `import { a } from '@tocsin/${other}';`];
  }),
];

const allowed: [file: string, code: string][] = [
  ['apps/prober/src/fine.ts', `import { a } from '@tocsin/core'; import { b } from './index.ts';`],
  ['apps/prober/src/traced.ts', `import { trace } from '@opentelemetry/api';`],
  ['apps/prober/test/fine.int-spec.ts', `import { a } from '@tocsin/testing'; import { b } from '../src/index.ts';`],
  ['libs/messaging/src/fine.ts', `import { a } from '@nats-io/kv'; import { b } from '@tocsin/core';`],
  ['infra/deploy/hosts/src/fine.ts', `import { a } from '@tocsin/local';`],
];

describe('the check of boundaries', () => {
  const workspace = realpathSync(mkdtempSync(join(tmpdir(), 'tocsin-boundaries-')));
  const write = (file: string, text: string): void => {
    mkdirSync(dirname(join(workspace, file)), { recursive: true });
    writeFileSync(join(workspace, file), text);
  };
  let found: string[] = [];

  beforeAll(async () => {
    const named = [
      'apps/gateway',
      'apps/prober',
      'infra/tools/local',
      'infra/deploy/hosts',
      'infra/lab',
      'e2e',
      'bench',
    ];
    for (const folder of [...named, ...[...Object.keys(libs), 'new'].map((lib) => `libs/${lib}`)]) {
      const name = `@tocsin/${folder.split('/').at(-1)}`;
      write(`${folder}/package.json`, JSON.stringify({ name, exports: { '.': './src/index.ts' } }));
      write(`${folder}/src/index.ts`, 'export const a = 1;');
      mkdirSync(join(workspace, 'node_modules/@tocsin'), { recursive: true });
      symlinkSync(join(workspace, folder), join(workspace, 'node_modules', name));
    }
    for (const name of ['zod', 'ioredis', 'pg', '@nats-io/kv', '@opentelemetry/api', '@opentelemetry/sdk-trace']) {
      write(`node_modules/${name}/package.json`, JSON.stringify({ name, main: 'index.js' }));
      write(`node_modules/${name}/index.js`, 'export const a = 1;');
    }
    for (const [file, code] of [...allowed, ...forbidden.map(([, file, code]) => [file, code] as const)])
      write(file, code);
    ({ found } = await crossings(workspace));
  });
  afterAll(() => rmSync(workspace, { recursive: true }));

  it.each(forbidden)('finds by the rule %s that %s says: %s', (rule, file) => {
    expect(found.filter((one) => one.startsWith(`${file} `)).join()).toContain(`: ${rule}`);
  });

  it.each(allowed)('lets %s say: %s', (file) => {
    expect(found.filter((one) => one.startsWith(`${file} `))).toEqual([]);
  });

  it('has been seen finding something by each of its rules', () => {
    const names = new Set(forbidden.map(([rule]) => rule));
    expect(rules.map(({ name }) => name).filter((name) => !names.has(name))).toEqual([]);
  });
});
