import { ApiClient, Sink } from '@tocsin/testing';
import type { RecordDatabase } from '../oracle/database.ts';
import { ApiLoad } from './api-load.ts';
import { bodiesOf, fleetOf, watched, type WatchedMonitor } from './fleet.ts';
import { Targets } from './targets.ts';

/** The Tocsin that is put under load, as its users reach it. */
export interface Place {
  /** The addresses of the gateways, read at each attempt. */
  gateways(): readonly string[];
  token: string;
  record: RecordDatabase;
  /** Where targets and the receiver of webhooks listen: an address that Tocsin can reach. */
  address: string;
}

/** All that Tocsin is put under, and all that is seen of it from outside. */
export class Load {
  private constructor(
    readonly monitors: readonly WatchedMonitor[],
    readonly targets: Targets,
    readonly sink: Sink,
    readonly clients: { api: ApiLoad; record: RecordDatabase },
  ) {}

  /** Creates the fleet and its channel, and resolves when all is accepted; then targets flip and clients ask. */
  static async start(place: Place, checksPerSecond: number, seed = 1): Promise<Load> {
    const fleet = fleetOf({ checksPerSecond, seed });
    const [targets, sink] = await Promise.all([Targets.start(fleet, place.address), Sink.start(place.address)]);
    const client = new ApiClient(place.gateways(), place.token);
    const channel = await client.post<{ id: string }>('/v1/channels', {
      kind: 'webhook',
      name: 'drill',
      settings: { url: sink.url },
    });
    const bodies = bodiesOf(fleet, { targetUrl: targets.url, channelId: channel.id });
    const monitors = watched(fleet, await client.createMonitors(bodies));
    targets.startSchedule();
    const api = ApiLoad.start({
      gateways: () => place.gateways(),
      token: place.token,
      monitorIds: monitors.map(({ id }) => id),
      seed,
    });
    return new Load(monitors, targets, sink, { api, record: place.record });
  }

  /** Checks per second, as the monitors' intervals make them. */
  get rate(): number {
    return this.monitors.reduce((sum, { intervalMs }) => sum + 1_000 / intervalMs, 0);
  }

  /** Ends the clients first, then what they and the checks need. */
  async stop(): Promise<void> {
    await this.clients.api.stop();
    await Promise.all([this.targets.stop(), this.sink.stop()]);
  }
}
