import { setTimeout as delay } from 'node:timers/promises';
import { hearsAPeer, NatsGuard } from '@tocsin/local/nats-guard';
import { PidFileServer } from './pid-file.ts';
import { readSettings, type Settings, SettingsError } from './settings.ts';

const USAGE = `usage: node bin/main.js watch|wait

  watch  ends this host's node of the broker whenever it is frozen, or has lost all its peers
  wait   ends when the node could hear a peer, or hear that none is running

The environment says which node and which peers: TOCSIN_NATS_PEERS, TOCSIN_NATS_MONITORING, TOCSIN_NATS_PID_FILE.`;

const AGAIN_MS = 500;
const LONG_MS = 2 ** 31 - 1;

function watch({ peers, monitoring, pidFile }: Settings): void {
  // The guard's own timer keeps no process running.
  setInterval(() => undefined, LONG_MS);
  const server = new PidFileServer(pidFile);
  void new NatsGuard({ name: 'nats-server', server, monitoring, routes: peers }, (line) => console.log(line));
}

async function wait({ peers }: Settings): Promise<void> {
  if (await hearsAPeer(peers)) return;
  const names = peers.map(({ host, port }) => `${host}:${port}`).join(', ');
  console.log(`waiting: nats-server starts when one of ${names} answers, if only by refusing`);
  do await delay(AGAIN_MS);
  while (!(await hearsAPeer(peers)));
}

const command = new Map<string, (settings: Settings) => Promise<void> | void>([
  ['watch', watch],
  ['wait', wait],
]).get(process.argv[2] ?? '');

if (command === undefined) {
  console.error(USAGE);
  process.exitCode = 64;
} else {
  try {
    await command(readSettings(process.env));
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    console.error(error.message);
    process.exitCode = 78;
  }
}
