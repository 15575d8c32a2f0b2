import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RenderedFile, writeHost } from '@tocsin/hosts';
import { Enclosure } from '../src/enclosure.ts';
import { Host } from '../src/host.ts';
import { Network } from '../src/network.ts';

/** Prints each datagram that comes to port 9999. */
const EAR = `import { createSocket } from 'node:dgram';
createSocket('udp4').on('message', (text) => console.log(text.toString())).bind(9999);
`;

/** Toys, as they stand in unit files. */
const toys: Record<string, string> = {
  plain: 'ExecStart=/bin/sleep 1000\nRestart=always\nRestartSec=50ms\nUser=tocsin-redis\nTimeoutStopSec=5s',
  // What leaves its group and its session still belongs to the unit.
  family: `KillMode=mixed\nExecStart=/bin/sh -c "sleep 1000 & setsid sleep 1000 & exec sleep 1000"\nRestart=always\nRestartSec=50ms`,
  stubborn: `KillMode=mixed\nTimeoutStopSec=300ms\nExecStart=/bin/sh -c "trap '' TERM; while :; do sleep 0.05; done"`,
  // Its child hears the signal although the main process is gone, and what comes at last comes after it.
  orderly: `ExecStart=/bin/sh -c "(trap 'echo in order; exit' TERM; while :; do sleep 0.02; done) & exec sleep 1000"
ExecStopPost=/bin/echo at last`,
  refusing: 'ExecStart=/bin/sh -c "exit 78"\nRestart=always\nRestartSec=10ms\nRestartPreventExitStatus=78',
  ready: `Type=notify\nExecStart=/bin/sh -c "sleep 0.3; systemd-notify READY=1; exec sleep 1000"`,
  after: `ExecStart=/bin/sleep 1000`,
  waiting: 'ExecStartPre=/bin/sleep 1000\nTimeoutStartSec=infinity\nExecStart=/bin/sleep 1000',
  watched: `Type=notify\nRestart=always\nRestartSec=10ms\nWatchdogSec=300ms\nWatchdogSignal=SIGKILL
ExecStart=/bin/sh -c "systemd-notify READY=1; exec sleep 1000"`,
  ear: 'ExecStart=/opt/tocsin/current/bin/node /etc/tocsin/toys/ear.mjs\nDynamicUser=yes',
};

function files(): RenderedFile[] {
  const units = Object.entries(toys).map(([name, text]) => ({
    path: `/etc/systemd/system/tocsin-${name}.service`,
    content: `[Unit]\n${name === 'after' ? 'After=tocsin-ready.service\n' : ''}[Service]\n${text}\n`,
  }));
  const template = `[Service]
DynamicUser=yes
EnvironmentFile=/etc/tocsin/toys/%i.env
LoadCredential=tocsin:/etc/tocsin/toys/credentials
StateDirectory=tocsin/%i
PrivateTmp=yes
ExecStart=/bin/sh -c "id -un; echo $WORD; cat %d/tocsin_PASSWORD; ls /tmp; stat -c %%U /var/lib/tocsin/%i; exec sleep 1000"
`;
  return [
    ...units,
    { path: '/etc/systemd/system/tocsin@.service', content: template },
    { path: '/etc/tocsin/toys/one.env', content: '# A word.\nWORD=of one\n' },
    { path: '/etc/tocsin/toys/credentials/PASSWORD', content: 'secret\n', group: 'root' },
    { path: '/etc/tocsin/toys/ear.mjs', content: EAR },
  ];
}

/** Two hosts, `a` and `b`, on a network with the outside. */
export async function toyHosts(units: readonly string[] = []): Promise<{
  enclosure: Enclosure;
  network: Network;
  a: Host;
  b: Host;
}> {
  const enclosure = await Enclosure.open();
  const network = await Network.build(enclosure, { address: '10.9.0.1', prefix: 24 });
  const [a, b] = await Promise.all([
    toyHost({ enclosure, network }, 'a', units),
    toyHost({ enclosure, network }, 'b', units),
  ]);
  return { enclosure, network, a, b };
}

async function toyHost(at: { enclosure: Enclosure; network: Network }, name: 'a' | 'b', units: readonly string[]) {
  const address = { a: '10.9.0.11', b: '10.9.0.12' }[name];
  const host = new Host(at, { host: name, address, prefix: 24, interface: 'eth0' });
  const folder = mkdtempSync(join(tmpdir(), 'tocsin-toys-'));
  try {
    writeHost(folder, files());
    await host.build({ layers: [], mounts: {} });
    await host.install(folder, units);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return host;
}
