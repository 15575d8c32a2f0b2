import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { PidFileServer } from './pid-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'tocsin-pid-file-'));
const file = join(folder, 'nats.pid');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What a server with this pid file is, where the kernel names its process 4000 so. */
function server(written: string, name: string): PidFileServer {
  mkdirSync(join(folder, '4000'), { recursive: true });
  writeFileSync(join(folder, '4000/comm'), `${name}\n`);
  writeFileSync(file, written);
  return new PidFileServer(file, folder);
}

describe('a server that is known by its pid file', () => {
  it('is the process that the file names', () => {
    expect(server('4000', 'nats-server').pid).toBe(4000);
    expect(server('4000\n', 'nats-server').process).toBeDefined();
  });

  it.each([
    ['names another program', '4000', 'node'],
    ['names a process that has ended', '4001', 'nats-server'],
    ['is empty', '', 'nats-server'],
    ['holds no id', '-4000', 'nats-server'],
  ])('does not run when the file %s, and nothing is signalled', (_, written, name) => {
    expect(server(written, name).pid).toBe(-1);
    expect(server(written, name).process).toBeUndefined();
  });

  it('does not run when there is no file', () => {
    expect(new PidFileServer(join(folder, 'none')).pid).toBe(-1);
  });

  it('may end before it is signalled', () => {
    // No process has this id: it is beyond what the kernel gives out.
    const gone = 2 ** 22 + 1;
    mkdirSync(join(folder, String(gone)));
    writeFileSync(join(folder, String(gone), 'comm'), 'nats-server\n');
    const { process: found } = server(String(gone), 'nats-server');
    expect(found).toBeDefined();
    expect(() => found?.kill('SIGKILL')).not.toThrow();
  });
});
