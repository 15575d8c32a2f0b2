import { ApiClient, Sink, type StartedTocsin } from '@tocsin/testing';
import { RecordDatabase } from '../oracle/database.ts';
import { ApiLoad } from './api-load.ts';
import { bodiesOf, fleetOf, watched, type WatchedMonitor } from './fleet.ts';
import { Targets } from './targets.ts';

/** All that Tocsin is put under, and all that is seen of it from outside. */
export class Load {
  private constructor(
    readonly monitors: readonly WatchedMonitor[],
    readonly targets: Targets,
    readonly sink: Sink,
    readonly clients: { api: ApiLoad; record: RecordDatabase },
  ) {}

  /** Creates the fleet and its channel, and resolves when all is accepted; then targets flip and clients ask. */
  static async start(tocsin: StartedTocsin, checksPerSecond: number, seed = 1): Promise<Load> {
    const fleet = fleetOf({ checksPerSecond, seed });
    const [targets, sink] = await Promise.all([Targets.start(fleet), Sink.start()]);
    const client = new ApiClient(tocsin.gateways, tocsin.token);
    const channel = await client.post<{ id: string }>('/v1/channels', {
      kind: 'webhook',
      name: 'drill',
      settings: { url: sink.url },
    });
    const bodies = bodiesOf(fleet, { targetUrl: targets.url, channelId: channel.id });
    const monitors = watched(fleet, await client.createMonitors(bodies));
    targets.startSchedule();
    const api = ApiLoad.start({
      gateways: () => tocsin.gateways,
      token: tocsin.token,
      monitorIds: monitors.map(({ id }) => id),
      seed,
    });
    return new Load(monitors, targets, sink, { api, record: new RecordDatabase(tocsin.databaseUrl) });
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
