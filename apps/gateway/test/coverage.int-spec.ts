import { requests } from '@tocsin/contracts';
import { newId, TocsinError } from '@tocsin/core';
import { until } from '@tocsin/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { startGateway } from './gateway.process.ts';
import { FakeOwner } from './owners.ts';
import { anHttpMonitor, Stack } from './stack.ts';

const COVERAGE = { due: 5, ran: 3, late: 0, missed: 1, excused: 0, pending: 1, unaccounted: 0, ratio: 0.75 };
const NONE = { ran: 0, late: 0, missed: 0, excused: 0 };

describe('coverage at the door', () => {
  let stack: Stack;
  const asked: { coverage: object[]; results: object[] } = { coverage: [], results: [] };
  /** How many monitors there are, in pages of 500; undefined: the read side is away. */
  let monitors: number | undefined = 3;
  /** While set, the read side has not heard of any monitor. */
  let unheard = false;
  let pages = 0;
  /** How many pages are read before the read side is away; undefined: all. */
  let pagesUntilAway: number | undefined;
  /** While set, no page is read. */
  let held: Promise<void> | undefined;
  let asking = 0;

  beforeAll(async () => {
    stack = await Stack.start();
    const status = await FakeOwner.connect('status', stack.env['TOCSIN_NATS_URLS']!);
    status
      .answers(requests.coverage, (query: { from: number; to: number }) => {
        if (unheard) throw new TocsinError('not_found', 'unheard of');
        asked.coverage.push(query);
        return { from: query.from, to: query.to, coverage: COVERAGE, ageMs: 0, stale: false };
      })
      .answers(requests.results, (query: object) => {
        if (monitors === undefined) throw new TocsinError('unavailable', 'away');
        if (unheard) throw new TocsinError('not_found', 'unheard of');
        asked.results.push(query);
        return { items: [], ageMs: 0, stale: false };
      })
      .answers(requests.uptime, () => {
        throw new TocsinError('not_found', 'unheard of');
      })
      .answers(requests.rollups, () => {
        throw new TocsinError('not_found', 'unheard of');
      })
      .answers(requests.tallies, async ({ cursor = '0', limit }: { cursor?: string; limit: number }) => {
        asking += 1;
        await held;
        asking -= 1;
        pages += 1;
        if (monitors === undefined || pages > (pagesUntilAway ?? Infinity))
          throw new TocsinError('unavailable', 'away');
        const from = Number(cursor);
        const items = Array.from({ length: Math.min(limit, monitors - from) }, (_, n) => ({
          monitorId: newId(),
          name: `"shop" ${from + n}`,
          kind: 'http',
          state: 'up',
          hour: { ran: 3, late: 1, missed: 0, excused: 0 },
          day: NONE,
        }));
        return { items, ageMs: 0, stale: false, ...(from + limit < monitors ? { next: String(from + limit) } : {}) };
      });
    await status.start();
  });

  it('of a monitor that the read side has not heard of its owner is asked: 404, or nothing yet', async () => {
    unheard = true;
    const made = await stack.ask('POST', '/v1/monitors', { json: anHttpMonitor() });
    for (const report of ['results', 'coverage', 'uptime', 'rollups']) {
      const known = await stack.ask('GET', `/v1/monitors/${made.body.id}/${report}`);
      expect([known.status, known.text]).toEqual([200, expect.any(String)]);
      const never = await stack.ask('GET', `/v1/monitors/${newId()}/${report}`);
      expect([never.status, never.body.code]).toEqual([404, 'not_found']);
    }
    unheard = false;
  });

  it('is shown per monitor and for all of them, over any range', async () => {
    const id = newId();
    const one = await stack.ask('GET', `/v1/monitors/${id}/coverage?from=1000&to=2000`, { as: 'viewer' });
    const range = { from: '1970-01-01T00:00:01.000Z', to: '1970-01-01T00:00:02.000Z' };
    expect(one.body).toEqual({ ...range, coverage: COVERAGE });
    const all = await stack.ask('GET', '/v1/coverage?from=1000&to=2000', { as: 'viewer' });
    expect(all.body.coverage).toEqual(COVERAGE);
    expect(asked.coverage).toEqual([{ monitorId: id, from: 1000, to: 2000 }, { from: 1000, to: 2000 }]); // prettier-ignore
    const wrong = await stack.ask('GET', '/v1/coverage?from=2000&to=1000', { as: 'viewer' });
    expect([wrong.status, wrong.body.errors[0].path]).toEqual([400, '/from']);
  });

  it('results can be asked for by how their windows ended, and by nothing else', async () => {
    const path = `/v1/monitors/${newId()}/results?from=1&to=2`;
    await stack.ask('GET', `${path}&outcome=missed&outcome=late`);
    await stack.ask('GET', `${path}&outcome=excused`);
    await stack.ask('GET', path);
    expect(asked.results).toMatchObject([{ outcome: ['missed', 'late'] }, { outcome: ['excused'] }, {}]);
    expect(asked.results[2]).not.toHaveProperty('outcome');
    expect((await stack.ask('GET', `${path}&outcome=gone`)).status).toBe(400);
  });

  it('a page of history is not remembered, so it is 503 while the read side is away', async () => {
    const path = `/v1/monitors/${newId()}/results?from=1&to=2`;
    expect((await stack.ask('GET', path)).status).toBe(200);
    monitors = undefined;
    expect((await stack.ask('GET', path)).status).toBe(503);
  });

  it('metrics are 503 while the read side is away, and never half of the monitors', async () => {
    monitors = undefined;
    expect((await stack.ask('GET', '/v1/metrics', { as: 'viewer' })).status).toBe(503);
    expect((await stack.ask('GET', '/v1/metrics', { as: undefined })).status).toBe(401);
  });

  it('metrics that were whole before are 503 too, wherever in the middle it went away', async () => {
    monitors = 1_200;
    const scrape = () => stack.ask('GET', '/v1/metrics', { as: 'viewer' });
    expect((await scrape()).text.match(/^tocsin_monitor_state\{/gm)).toHaveLength(1_200);
    pages = 0;
    pagesUntilAway = 1;
    const later = await until(
      async () => {
        const answer = await scrape();
        return pages > 0 && answer;
      },
      { what: 'a scrape that is not given what was just read' },
    );
    expect(later).toMatchObject({ status: 503, body: { code: 'unavailable' } });
    monitors = undefined;
    expect((await scrape()).status).toBe(503);
    pagesUntilAway = undefined;
  });

  it('metrics are read for all who wait, not until the first who asked gives up', async () => {
    monitors = 3;
    const { promise, resolve: release } = Promise.withResolvers<void>();
    held = promise;
    const scrape = (waitS: number) =>
      stack.ask('GET', '/v1/metrics', { as: 'viewer', headers: { prefer: `wait=${waitS}` } });
    const hasty = scrape(1);
    await until(() => asking > 0, { what: 'the hasty one to ask' });
    const patient = scrape(20);
    expect((await hasty).status).toBe(504);
    release();
    held = undefined;
    expect((await patient).status).toBe(200);
  });

  it('metrics show ten thousand monitors, read once for scrapers that come together', async () => {
    // One that keeps nothing yet.
    stack.gateway = await startGateway(stack.env);
    monitors = 10_000;
    pages = 0;
    const scrapes = await Promise.all([1, 2, 3].map(() => stack.ask('GET', '/v1/metrics', { as: 'viewer' })));
    const [{ status, headers, text }] = scrapes as [(typeof scrapes)[0]];
    expect([status, headers.get('content-type')]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8']);
    expect(text.match(/^tocsin_monitor_state\{/gm)).toHaveLength(10_000);
    expect(text).toContain('name="\\"shop\\" 9999",range="1h"} 0.75');
    expect(text).toContain('\ntocsin_monitors_omitted 0\n');
    expect(scrapes.every((scrape) => scrape.text === text)).toBe(true);
    expect(pages).toBe(20);
  });
});
