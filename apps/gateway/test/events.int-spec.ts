import { subjects } from '@tocsin/contracts';
import { newId } from '@tocsin/core';
import { atTheEnd, until } from '@tocsin/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { startGateway } from './gateway.process.ts';
import { tokens } from './owners.ts';
import { Stack } from './stack.ts';

let stack: Stack;
let sent = 0;

beforeAll(async () => {
  stack = await Stack.start();
});

interface Shown {
  id: number;
  event: string;
  data: { monitorId?: string; reason?: string; after?: number; at?: string };
}

/** A page that is open. */
async function open(o: { url?: string; query?: string; after?: number } = {}) {
  const closing = new AbortController();
  atTheEnd(() => closing.abort());
  const response = await fetch(`${o.url ?? stack.gateway.url}/v1/events${o.query ?? ''}`, {
    headers: {
      authorization: `Bearer ${tokens.viewer}`,
      ...(o.after === undefined ? {} : { 'last-event-id': String(o.after) }),
    },
    signal: closing.signal,
  });
  const events: Shown[] = [];
  const page = {
    status: response.status,
    headers: response.headers,
    events,
    ended: false,
    close: () => closing.abort(),
  };
  void (async () => {
    let text = '';
    try {
      for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
        text += chunk;
        const blocks = text.split('\n\n');
        text = blocks.pop()!;
        events.push(...blocks.flatMap((block) => shown(block)));
      }
    } catch {
      // closed from either side
    }
    page.ended = true;
  })();
  return page;
}

function shown(block: string): Shown[] {
  const fields = new Map(block.split('\n').map((line) => line.split(/: (.*)/s, 2) as [string, string]));
  if (!fields.has('data')) return [];
  return [
    {
      id: Number(fields.get('id')),
      event: fields.get('event')!,
      data: JSON.parse(fields.get('data')!) as Shown['data'],
    },
  ];
}

async function happens(monitorId: string, reason = `r${sent}`): Promise<number> {
  const event = { monitorId, monitorName: 'm', from: 'up', to: 'down', at: 1, reason, message: '' };
  const { messaging } = stack.owners.incidents;
  return (await messaging.publish(subjects.stateEvent(monitorId), event, { id: `e${sent++}` })).sequence;
}

const reasons = (page: { events: Shown[] }) => page.events.map((one) => one.data.reason);

describe('live events', () => {
  it('reach every open page, in order, with their place in the stream as id', async () => {
    const pages = [await open(), await open()];
    expect(pages[0]!.headers.get('content-type')).toMatch(/^text\/event-stream/);
    const first = await happens(newId(), 'one');
    const second = await happens(newId(), 'two');
    for (const page of pages) {
      await until(() => page.events.length === 2, { what: 'two events' });
      expect(page.events.map(({ id, event, data }) => [id, event, data.reason, data.at])).toEqual([
        [first, 'state', 'one', '1970-01-01T00:00:00.001Z'],
        [second, 'state', 'two', '1970-01-01T00:00:00.001Z'],
      ]);
    }
  });

  it('are announced to HEAD without opening a stream', async () => {
    const reply = await stack.ask('HEAD', '/v1/events');
    expect([reply.status, reply.headers.get('content-type')]).toEqual([200, 'text/event-stream; charset=utf-8']);
  });

  it('are filtered by monitor and type', async () => {
    const mine = newId();
    const ofMonitor = await open({ query: `?monitorId=${mine}` });
    const ofType = await open({ query: '?type=incident&type=monitor' });
    await happens(newId(), 'theirs');
    await happens(mine, 'mine');
    await until(() => ofMonitor.events.length > 0, { what: 'the event of my monitor' });
    expect(reasons(ofMonitor)).toEqual(['mine']);
    expect(ofType.events).toEqual([]);
  });

  it('resume after Last-Event-ID, without a gap or a double, while more happens', async () => {
    const before = await open();
    const last = await happens(newId(), 'seen');
    await until(() => reasons(before).includes('seen'), { what: 'the last event seen' });
    before.close();
    for (let i = 0; i < 5; i++) await happens(newId(), `missed ${i}`);
    const more = (async () => {
      for (let i = 0; i < 20; i++) await happens(newId(), `later ${i}`);
    })();
    const after = await open({ after: last });
    await more;
    await until(() => after.events.length >= 25, { what: 'what was missed and what came later' });
    expect(after.events.map((one) => one.id)).toEqual(Array.from({ length: 25 }, (_, i) => last + 1 + i));
  });

  it('resume at another gateway, which was not there when they happened', async () => {
    const first = await happens(newId(), 'long ago');
    // More than one page of the replay.
    await Promise.all(Array.from({ length: 1_200 }, () => happens(newId())));
    const other = await startGateway(stack.env);
    const page = await open({ url: other.url, after: first });
    await until(() => page.events.length >= 1_200, { what: 'all that happened since' });
    const now = await happens(newId(), 'now');
    await until(() => page.events.at(-1)?.id === now, { what: 'what happens now' });
    expect(page.events.map((one) => one.id)).toEqual(Array.from({ length: now - first }, (_, i) => first + 1 + i));
  });

  it('end in order when the gateway stops, so that pages go to another', async () => {
    const leaving = await startGateway(stack.env);
    const page = await open({ url: leaving.url });
    const begun = Date.now();
    leaving.process.kill('SIGTERM');
    await until(() => page.ended && leaving.process.exitCode !== null, { what: 'the page and the gateway to end' });
    expect(leaving.process.exitCode).toBe(0);
    expect(Date.now() - begun).toBeLessThan(5_000);
  });
});
