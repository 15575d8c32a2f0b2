import { parseArgs } from 'node:util';

/** What `npm start -- …` was asked for. */
export interface StartOptions {
  fresh: boolean;
  /** Instances of each sub-service. */
  instances: number;
  /** Where the first gateway listens; the others follow. 0: anywhere. */
  port: number;
  /** Whether somebody asked for that port: then no other one will do. */
  portAsked: boolean;
  /** Whether it adds a monitor of its own gateway. */
  ownMonitor: boolean;
  /** Three NATS nodes instead of one. */
  cluster: boolean;
  /** All connections go through links that can be cut; see the control port. */
  drill: boolean;
}

const DEFAULT_PORT = '8420';

const USAGE = `Usage: npm start -- [--fresh] [--instances N] [--port N] [--no-own-monitor] [--cluster] [--drill]
  --fresh             delete all data and secrets first
  --instances N       instances of each sub-service, 1 to 8 (default 2)
  --port N            port of the first gateway; 0: any. Without it 8420, or another one while that is taken
  --no-own-monitor    add no monitor of the own gateway
  --cluster           three NATS nodes, with three copies of every stream
  --drill             connections go through links that a control port can cut (slower; for drills)`;

/** The options, or the text to show instead: what is wrong and the usage. */
export function parseStartOptions(args: string[]): StartOptions | string {
  try {
    const { values } = parseArgs({
      args,
      options: {
        fresh: { type: 'boolean', default: false },
        instances: { type: 'string', default: '2' },
        port: { type: 'string' },
        'no-own-monitor': { type: 'boolean', default: false },
        cluster: { type: 'boolean', default: false },
        drill: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    if (values.help) return USAGE;
    const instances = Number(values.instances);
    if (!Number.isInteger(instances) || instances < 1 || instances > 8) {
      return `--instances takes a whole number from 1 to 8, not "${values.instances}".\n${USAGE}`;
    }
    const port = Number(values.port ?? DEFAULT_PORT);
    if (!Number.isInteger(port) || port < 0 || port > 65_000) {
      return `--port takes a whole number from 0 to 65000, not "${values.port}".\n${USAGE}`;
    }
    const { fresh, cluster, drill } = values;
    const portAsked = values.port !== undefined && port !== 0;
    return { fresh, instances, port, portAsked, ownMonitor: !values['no-own-monitor'], cluster, drill };
  } catch (error) {
    return `${error instanceof Error ? error.message : String(error)}\n${USAGE}`;
  }
}
