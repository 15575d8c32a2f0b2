import { isIPv4 } from 'node:net';

/** What a guard is told by its environment. */
export interface Settings {
  /** The route ports of the other nodes. */
  peers: { host: string; port: number }[];
  /** The port of its node's figures, on loopback. */
  monitoring: number;
  /** Where its node writes the id of its process. */
  pidFile: string;
}

/** The environment can't be used: each line says which variable, and why. */
export class SettingsError extends Error {}

/**
 * Reads the environment of a guard:
 *
 *   TOCSIN_NATS_PEERS       address:port of each other node's route port, with commas between; empty: there is none
 *   TOCSIN_NATS_MONITORING  the port of the node's own figures
 *   TOCSIN_NATS_PID_FILE    the path of the file in which the node's process id stands
 *
 * @throws SettingsError that names every variable that can't be used
 */
export function readSettings(env: NodeJS.ProcessEnv): Settings {
  const { TOCSIN_NATS_PEERS, TOCSIN_NATS_MONITORING = '', TOCSIN_NATS_PID_FILE = '' } = env;
  const peers = TOCSIN_NATS_PEERS?.split(',')
    .filter((peer) => peer !== '')
    .map(peerOf);
  const monitoring = portOf(TOCSIN_NATS_MONITORING);
  const problems = [
    ...(peers === undefined || peers.includes(undefined)
      ? ['TOCSIN_NATS_PEERS: must be like 10.0.0.12:6222,10.0.0.13:6222, or empty']
      : []),
    ...(monitoring === undefined ? ['TOCSIN_NATS_MONITORING: must be a port'] : []),
    ...(TOCSIN_NATS_PID_FILE.startsWith('/') ? [] : ['TOCSIN_NATS_PID_FILE: must be a path from the root']),
  ];
  if (peers === undefined || monitoring === undefined || problems.length > 0)
    throw new SettingsError(problems.join('\n'));
  return { peers: peers.filter((peer) => peer !== undefined), monitoring, pidFile: TOCSIN_NATS_PID_FILE };
}

function peerOf(text: string): { host: string; port: number } | undefined {
  const [host = '', port = '', ...more] = text.split(':');
  const number = portOf(port);
  return isIPv4(host) && number !== undefined && more.length === 0 ? { host, port: number } : undefined;
}

function portOf(text: string): number | undefined {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  return port > 0 && port < 65_536 ? port : undefined;
}
