import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { atTheEnd, certificate, until } from '@tocsin/testing';
import { freePort, guard, projectRoot, startNats, temporaryDir, unguard } from '@tocsin/testing/servers';
import { beforeAll, describe, expect, it } from 'vitest';
import { buildApp } from '@tocsin/build';

const unit = readFileSync(join(projectRoot, 'infra/deploy/systemd/tocsin-nats.service'), 'utf8');
/** The options that its unit gives to Node when it waits. */
const optionsToWait = /^ExecStartPre=\S+\/node (.*) \S+\/main\.js wait$/m.exec(unit)![1]!.split(' ');
let folder: string;

beforeAll(async () => {
  folder = await buildApp('infra/deploy/nats-guard', temporaryDir('nats-guard'));
});

/** The built program, called as its unit calls it, with these variables. */
function run(command: string, settings: { peers?: string; monitoring?: number; pidFile?: string }) {
  const { peers = '', monitoring = 1, pidFile = '/none' } = settings;
  const options = command === 'wait' ? optionsToWait : [];
  const child = spawn(process.execPath, [...options, 'bin/main.js', command], {
    cwd: folder,
    env: {
      ...process.env,
      TOCSIN_NATS_PEERS: peers,
      TOCSIN_NATS_MONITORING: String(monitoring),
      TOCSIN_NATS_PID_FILE: pidFile,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const pid = child.pid!;
  guard(pid, 'SIGKILL');
  child.once('exit', () => unguard(pid));
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  atTheEnd(() => void child.kill('SIGKILL'));
  const ended = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>;
  return { child, ended, output: () => output };
}

/** A node that speaks TLS with its peers and is nobody's peer yet; gives its route port. */
async function nodeWithTls() {
  const { cert, key } = await certificate('valid');
  const files = join(temporaryDir('nats-tls'), 'host');
  writeFileSync(`${files}.crt`, cert);
  writeFileSync(`${files}.key`, key, { mode: 0o600 });
  const port = await freePort();
  // A handshake may take longer than anybody asks: it is not for its end that it hangs up.
  const tls = `tls { cert_file: "${files}.crt", key_file: "${files}.key", ca_file: "${files}.crt", verify: true, timeout: 30 }`;
  const server = await startNats({
    cluster: { name: 'tocsin', server: 'other', port, routes: [await freePort()], config: tls },
  });
  atTheEnd(async () => {
    await server.kill('SIGCONT');
    await server.stop();
  });
  return { server, route: `127.0.0.1:${port}` };
}

/** One that takes connections and says nothing. */
async function silentPeer() {
  let times = 0;
  const server = createServer(() => (times += 1)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  atTheEnd(() => void server.close());
  return { route: `127.0.0.1:${(server.address() as AddressInfo).port}`, times: () => times };
}

/** How often somebody has asked a node for its routes, as it says itself. */
async function timesAsked(monitoring: number): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${monitoring}/varz`);
  const { http_req_stats: asked } = (await response.json()) as { http_req_stats: Record<string, number> };
  return asked['/routez'] ?? 0;
}

describe('watching', () => {
  it('ends a node that is frozen, and leaves one alone that answers', async () => {
    const pidFile = join(temporaryDir('nats-pid'), 'nats.pid');
    const monitoring = await freePort();
    const server = await startNats({ config: `http: "127.0.0.1:${monitoring}"\npid_file: "${pidFile}"` });
    atTheEnd(() => server.stop());
    const { child, output } = run('watch', { monitoring, pidFile });
    // Longer than a node may be silent: it asks twice a second.
    await until(async () => (await timesAsked(monitoring)) > 10, { timeoutMs: 20_000, what: 'ten questions' });
    expect(server.alive).toBe(true);
    await server.kill('SIGSTOP');
    await until(() => !server.alive, { timeoutMs: 10_000, what: 'the end of the frozen node' });
    expect(server.process?.signalCode).toBe('SIGKILL');
    await until(() => output().includes('has said nothing for'), { what: 'the reason' });
    expect(child.exitCode).toBeNull();
  }, 40_000);
});

describe('waiting', () => {
  it('ends when a peer that speaks TLS answers; a frozen one does not', async () => {
    const { server, route } = await nodeWithTls();
    const silent = await silentPeer();
    await server.kill('SIGSTOP');
    const { child, ended, output } = run('wait', { peers: `${route},${silent.route}` });
    await until(() => output().includes(`one of ${route}, `), { timeoutMs: 10_000, what: 'that it waits' });
    await until(() => silent.times() > 3, { timeoutMs: 10_000, what: 'some questions' });
    expect(child.exitCode).toBeNull();
    await server.kill('SIGCONT');
    expect(await ended).toEqual([0, null]);
  }, 40_000);

  it('ends when a peer refuses: it may be waiting, too', async () => {
    const { ended, output } = run('wait', { peers: `127.0.0.1:${await freePort()}` });
    expect(await ended).toEqual([0, null]);
    expect(output()).not.toContain('waiting');
  });

  it('ends at once without peers', async () => {
    expect(await run('wait', {}).ended).toEqual([0, null]);
  });

  it('ends by the signal that stops its unit', async () => {
    const { server, route } = await nodeWithTls();
    await server.kill('SIGSTOP');
    const { child, ended, output } = run('wait', { peers: route });
    await until(() => output().includes('waiting'), { timeoutMs: 10_000, what: 'that it waits' });
    child.kill('SIGUSR2');
    expect(await ended).toEqual([null, 'SIGUSR2']);
  }, 40_000);
});

describe('what can not be done', () => {
  it('is refused with the variable and 78', async () => {
    const { ended, output } = run('watch', { peers: 'b' });
    expect(await ended).toEqual([78, null]);
    expect(output()).toMatch(/^TOCSIN_NATS_PEERS: /);
  });

  it('is another command: 64', async () => {
    const { ended, output } = run('stop', {});
    expect(await ended).toEqual([64, null]);
    expect(output()).toContain('watch|wait');
  });
});
