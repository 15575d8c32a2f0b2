import { Injectable } from '@nestjs/common';
import { changeRequests, type routes } from '@tocsin/contracts';
import { type Answer, type Call, EdgeRefusal, ok } from '@tocsin/edge';
import { ServiceClient } from '../service-client/service-client.ts';

const OWNERS = Object.values(changeRequests);

type Query = Call<typeof routes.changes>['query'];

/** Who changed what. Each owner keeps its own record; a page is made of theirs, and of all of theirs or not at all. */
@Injectable()
export class ChangesService {
  constructor(private readonly owners: ServiceClient) {}

  /** @throws TocsinError `unavailable` or `deadline` while an owner is away */
  async list({ query, deadline }: Call<typeof routes.changes>): Promise<Answer> {
    const { from, to, tokenId, cursor: before, limit } = query;
    const question = { ...resourceOf(query), tokenId, from, to, before, limit: limit + 1 };
    const parts = await Promise.all(OWNERS.map((owner) => this.owners.readNow(owner, question, deadline)));
    // Identifiers sort by time, whoever made them.
    const newest = parts.flatMap(({ items }) => items).toSorted((a, b) => (a.id < b.id ? 1 : -1));
    const items = newest.slice(0, limit);
    const last = items.at(-1);
    return ok({ items, ...(newest.length > limit && last ? { next: last.id } : {}) });
  }
}

/** @throws EdgeRefusal `invalid` for more than one resource: nothing is two of them */
function resourceOf({ monitorId, channelId, incidentId }: Query) {
  const given = (
    [
      ['monitor', monitorId],
      ['channel', channelId],
      ['incident', incidentId],
    ] as const
  ).filter(([, id]) => id !== undefined);
  const [first, second] = given;
  if (!second) return first ? { kind: first[0], resourceId: first[1] } : {};
  const message = 'give only one of monitorId, channelId and incidentId';
  throw EdgeRefusal.fields([{ in: 'query', path: `/${second[0]}Id`, message }]);
}
