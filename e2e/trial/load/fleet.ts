import { type MonitorSpecInput } from '@tocsin/contracts';
import { randomOf } from './random.ts';
import { type Flipping, HALF_PERIOD_MS } from './schedule.ts';

/** One monitor of the load; `n` is its place in the fleet and in its target's address. */
export interface FleetMonitor extends Flipping {
  n: number;
  name: string;
  intervalMs: number;
}

/** One that Tocsin has: the identifier is what its grid of windows comes from. */
export interface WatchedMonitor extends FleetMonitor {
  id: string;
}

export interface FleetOptions {
  /** Half of them from monitors every 5 s, half from monitors every 10 s. */
  checksPerSecond?: number;
  /** How many monitors of either kind have a target that goes down and up. */
  flipping?: { fast: number; slow: number };
  seed?: number;
}

const FAST_MS = 5_000;
const SLOW_MS = 10_000;

/** The monitors that make so many checks a second: 500 every 5 s and 1,000 every 10 s at 200 checks/s. */
export function fleetOf(o: FleetOptions = {}): FleetMonitor[] {
  const { checksPerSecond = 200, flipping = { fast: 60, slow: 40 } } = o;
  const random = randomOf(o.seed ?? 1);
  const fleet: FleetMonitor[] = [];
  const add = (intervalMs: number, flippers: number) => {
    const count = Math.round((checksPerSecond / 2) * (intervalMs / 1_000));
    for (let i = 0; i < count; i++) {
      const n = fleet.length;
      const flips = i < flippers ? { flips: { offsetMs: Math.floor(random() * 2 * HALF_PERIOD_MS) } } : {};
      fleet.push({ n, name: `drill ${n}`, intervalMs, ...flips });
    }
  };
  add(FAST_MS, flipping.fast);
  add(SLOW_MS, flipping.slow);
  return fleet;
}

/** The fleet with the identifiers that Tocsin gave, in the same order. */
export function watched(fleet: readonly FleetMonitor[], ids: readonly string[]): WatchedMonitor[] {
  return fleet.map((monitor) => ({ ...monitor, id: ids[monitor.n]! }));
}

/** The bodies that create the fleet through REST. All tell the channel: of one that never flips any alert is false. */
export function bodiesOf(
  fleet: readonly FleetMonitor[],
  o: { targetUrl: string; channelId: string },
): MonitorSpecInput[] {
  return fleet.map(({ n, name, intervalMs }) => ({
    kind: 'http',
    name,
    interval: `${intervalMs / 1_000}s`,
    timeout: '2s',
    channels: [o.channelId],
    settings: { url: `${o.targetUrl}/m/${n}` },
  }));
}
