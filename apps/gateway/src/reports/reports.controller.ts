import { Controller, Inject } from '@nestjs/common';
import { requests, routes } from '@tocsin/contracts';
import { type Clock, TocsinError } from '@tocsin/core';
import { type Answer, type Call, ok, okAged, Serve } from '@tocsin/edge';
import { CLOCK } from '@tocsin/service';
import { ServiceClient } from '../service-client/service-client.ts';
import { MonitorMetrics } from './monitor-metrics.ts';
import { nothingYet } from './nothing-yet.ts';
import { rangeOf, requireFewSteps, STEPS } from './range.ts';

@Controller()
export class ReportsController {
  constructor(
    private readonly owners: ServiceClient,
    private readonly monitorMetrics: MonitorMetrics,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @Serve(routes.states)
  async states(call: Call<typeof routes.states>): Promise<Answer> {
    const { monitorId: monitorIds, ...rest } = call.query;
    if (!monitorIds) return okAged(await this.owners.read(requests.statesList, rest, call));
    const { items, ...aged } = await this.owners.read(requests.statesGet, { monitorIds }, call);
    return ok({ items: items.filter(({ state }) => rest.state === undefined || state === rest.state) }, aged);
  }

  @Serve(routes.summary)
  async summary(call: Call<typeof routes.summary>): Promise<Answer> {
    return okAged(await this.owners.read(requests.summary, {}, call));
  }

  @Serve(routes.results)
  async results(call: Call<typeof routes.results>): Promise<Answer> {
    const { from: _from, to: _to, ...rest } = call.query;
    const range = rangeOf(call.query, this.clock.now());
    const query = { monitorId: call.params.id, ...range, ...rest };
    const read = () => this.owners.readNow(requests.results, query, call.deadline);
    return okAged(await this.ofKnown(call, read, nothingYet.list));
  }

  @Serve(routes.rollups)
  async rollups(call: Call<typeof routes.rollups>): Promise<Answer> {
    const seconds = STEPS[call.query.step];
    const range = rangeOf(call.query, this.clock.now());
    requireFewSteps(range, seconds);
    const query = { monitorId: call.params.id, ...range, seconds };
    const read = () => this.owners.readNow(requests.rollups, query, call.deadline);
    return okAged(await this.ofKnown(call, read, nothingYet.list));
  }

  @Serve(routes.uptime)
  async uptime(call: Call<typeof routes.uptime>): Promise<Answer> {
    const query = { monitorId: call.params.id, ...rangeOf(call.query, this.clock.now()) };
    const read = () => this.owners.read(requests.uptime, query, call);
    return okAged(await this.ofKnown(call, read, () => nothingYet.uptime(query)));
  }

  @Serve(routes.monitorsCoverage)
  async coverageOf(call: Call<typeof routes.monitorsCoverage>): Promise<Answer> {
    const query = { monitorId: call.params.id, ...rangeOf(call.query, this.clock.now()) };
    const read = () => this.owners.read(requests.coverage, query, call);
    return okAged(await this.ofKnown(call, read, () => nothingYet.coverage(query)));
  }

  @Serve(routes.coverage)
  async coverage(call: Call<typeof routes.coverage>): Promise<Answer> {
    return okAged(await this.owners.read(requests.coverage, rangeOf(call.query, this.clock.now()), call));
  }

  @Serve(routes.metrics)
  metrics(call: Call<typeof routes.metrics>): Promise<Answer> {
    return this.monitorMetrics.read(call);
  }

  /**
   * A report of one monitor. One that the read side has never heard of may have been made a moment ago: its owner knows.
   * @throws TocsinError `not_found` for one that never existed, or of which nothing is kept any more
   */
  private async ofKnown<T>(
    call: { params: { id: string }; deadline: number },
    read: () => Promise<T>,
    empty: () => T,
  ): Promise<T> {
    try {
      return await read();
    } catch (error) {
      if (!(error instanceof TocsinError) || error.code !== 'not_found') throw error;
      await this.owners.readNow(requests.monitorsGet, call.params, call.deadline);
      return empty();
    }
  }
}
