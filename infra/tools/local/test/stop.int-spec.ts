import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { atTheEnd, until } from '@tocsin/testing';
import { projectRoot, temporaryDir } from '@tocsin/testing/servers';
import { beforeAll, describe, expect, it } from 'vitest';

const SCRIPT = `import { onAskedToStop } from ${JSON.stringify(join(projectRoot, 'infra/tools/local/src/asked-to-stop.ts'))};
const work = setInterval(() => undefined, 1_000);
onAskedToStop(({ signal, whom }) => {
  console.log('asked', signal, whom);
  setTimeout(() => {
    console.log('stopped');
    clearInterval(work);
    if (process.connected) process.disconnect();
    setTimeout(() => process.exit(0), 50);
  }, 500);
});
console.log('up');
`;

let root: string;

/** A repository whose \`npm start\` does nothing but wait to be asked to stop. */
beforeAll(() => {
  root = temporaryDir('stop');
  mkdirSync(join(root, 'infra/tools/local/src'), { recursive: true });
  cpSync(join(projectRoot, 'infra/tools/local/bootstrap.mjs'), join(root, 'infra/tools/local/bootstrap.mjs'));
  cpSync(join(projectRoot, 'package-lock.json'), join(root, 'package-lock.json'));
  symlinkSync(join(projectRoot, 'node_modules'), join(root, 'node_modules'));
  writeFileSync(join(root, 'infra/tools/local/src/start.ts'), SCRIPT);
  const { scripts } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')) as { scripts: object };
  writeFileSync(join(root, 'package.json'), JSON.stringify({ name: 'stop', private: true, type: 'module', scripts }));
});

interface Started {
  child: ChildProcess;
  /** What was asked, and whether it stopped, once all is over. */
  end: () => Promise<{ lines: string[]; code: number | null }>;
}

async function started(program: string, args: string[]): Promise<Started> {
  const child = spawn(program, args, { cwd: root, detached: true, stdio: ['ignore', 'pipe', 'inherit'] });
  // Whatever became of it, nothing of its group stays behind.
  atTheEnd(() => killGroup(child.pid!));
  let text = '';
  child.stdout!.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const closed = once(child, 'close') as Promise<[number | null]>;
  await until(() => text.includes('up\n'), { timeoutMs: 20_000, what: 'up' });
  const end = async () => {
    const [code] = await closed;
    return { lines: text.split('\n').filter((line) => /^(asked|stopped)/.test(line)), code };
  };
  return { child, end };
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Nobody is left of it.
  }
}

const bootstrap = () => started(process.execPath, ['infra/tools/local/bootstrap.mjs', 'start']);

describe('what npm start runs', () => {
  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    'stops once, and well, when %s is sent to its bootstrap alone',
    async (signal) => {
      const { child, end } = await bootstrap();
      process.kill(child.pid!, signal);
      expect(await end()).toEqual({ lines: [`asked ${signal} alone`, 'stopped'], code: 0 });
    },
  );

  it('stops once when Ctrl-C reaches the whole group, and again', async () => {
    const { child, end } = await bootstrap();
    process.kill(-child.pid!, 'SIGINT');
    setTimeout(() => process.kill(-child.pid!, 'SIGINT'), 200);
    expect(await end()).toEqual({ lines: ['asked SIGINT group', 'stopped'], code: 0 });
  });

  it.each(['SIGINT', 'SIGTERM'] as const)('stops once when %s is sent to npm alone', async (signal) => {
    const { child, end } = await started('npm', ['start']);
    process.kill(child.pid!, signal);
    expect((await end()).lines).toEqual([`asked ${signal} alone`, 'stopped']);
  });

  it('stops once when npm is killed', async () => {
    const { child, end } = await started('npm', ['start']);
    process.kill(child.pid!, 'SIGKILL');
    expect((await end()).lines).toEqual(['asked SIGTERM alone', 'stopped']);
  });
});
