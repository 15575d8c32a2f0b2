import { type ChangeView, changesQuestion } from '@tocsin/contracts';
import { newId, TocsinError } from '@tocsin/core';
import { describe, expect, it } from 'vitest';
import type { ServiceClient } from '../service-client/service-client.ts';
import { ChangesService } from './changes.service.ts';

type Call = Parameters<ChangesService['list']>[0];
type Page = { items: ChangeView[]; next?: string };

/** Owners that hold a change each, in turn, one a millisecond. */
function owned(count: number) {
  const all = Array.from({ length: count }, (_, n): ChangeView => {
    return { id: newId(1_000 + n), at: 1_000 + n, kind: 'monitor', outcome: 'done' };
  });
  const asked: unknown[] = [];
  const readNow = async (spec: { subject: string }, question: unknown) => {
    const { before, limit } = changesQuestion.parse(question);
    asked.push(question);
    const own = ['monitors', 'incidents', 'notifier'].indexOf(spec.subject.split('.')[1]!);
    const items = all.filter((change, n) => n % 3 === own && (before === undefined || change.id < before));
    return { items: items.toReversed().slice(0, limit) };
  };
  return { all, asked, service: new ChangesService({ readNow } as unknown as ServiceClient) };
}

const page = async (service: ChangesService, query: object): Promise<Page> =>
  (await service.list({ query: { limit: 100, ...query }, deadline: 0 } as Call)).body as Page;

describe('a page of changes', () => {
  it('is made of those of all owners, newest first, and the next one goes on behind it', async () => {
    const { all, service } = owned(10);
    const found: string[] = [];
    let cursor: string | undefined;
    do {
      const { items, next } = await page(service, { limit: 4, cursor });
      found.push(...items.map(({ id }) => id));
      cursor = next;
    } while (cursor !== undefined);
    expect(found).toEqual(all.map(({ id }) => id).toReversed());
  });

  it('that is the largest asks owners for no more than they give', async () => {
    const { service } = owned(3);
    expect((await page(service, { limit: 500 })).next).toBeUndefined();
  });

  it('of one monitor is asked for as such; of a monitor and a channel there is none', async () => {
    const { asked, service } = owned(1);
    const monitorId = newId();
    await page(service, { monitorId, tokenId: newId(), from: 1, to: 9 });
    expect(asked[0]).toMatchObject({ kind: 'monitor', resourceId: monitorId, from: 1, to: 9 });
    await expect(page(service, { monitorId, channelId: newId() })).rejects.toMatchObject({
      code: 'invalid',
      more: { fields: [{ in: 'query', path: '/channelId' }] },
    });
  });

  it('is none at all while an owner is away: half a record tells nothing', async () => {
    const away = () => Promise.reject(new TocsinError('unavailable', 'away'));
    await expect(page(new ChangesService({ readNow: away } as unknown as ServiceClient), {})).rejects.toThrow('away');
  });
});
