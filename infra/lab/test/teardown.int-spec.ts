import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { until } from '@tocsin/testing';
import { describe, expect, it } from 'vitest';
import { whyNot } from '../src/programs.ts';
import { namespacesOf, usersOf } from './namespaces.ts';

const reason = await whyNot();

const LAB = `
const { toyHosts } = await import('./toys.ts');
const { a, enclosure } = await toyHosts(['tocsin-plain.service']);
await a.powerOn();
await a.units('start', 'tocsin-plain.service');
const ask = ['readlink', '/proc/1/ns/pid', '/proc/1/ns/net'];
console.log(JSON.stringify((await enclosure.must(ask)) + (await a.run(ask))));
setInterval(() => undefined, 1000);
`;

describe.skipIf(reason !== undefined)(`a lab${reason ? ` (${reason})` : ''}`, () => {
  it('leaves nothing behind when it is killed itself', async () => {
    const args = ['--import', '@oxc-node/core/register', '--input-type=module', '-e', LAB];
    const lab = spawn(process.execPath, args, {
      cwd: join(import.meta.dirname),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let printed = '';
    lab.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()));
    const line = await until(() => /^".*"$/m.exec(printed)?.[0], { what: 'a host', timeoutMs: 60_000 });
    const namespaces = namespacesOf(JSON.parse(line) as string);
    expect(namespaces.size).toBe(4);
    expect(usersOf(namespaces).length).toBeGreaterThan(4);
    lab.kill('SIGKILL');
    await until(() => usersOf(namespaces).length === 0, { what: 'the end of all of it', timeoutMs: 20_000 });
  }, 90_000);
});
