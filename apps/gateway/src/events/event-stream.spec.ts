import { describe, expect, it } from 'vitest';
import { type EventFilter, eventOf, matches } from './event.ts';
import { EventStream } from './event-stream.ts';

const monitorId = '01999999-9999-7999-8999-999999999999';
const state = eventOf({ subject: `events.states.${monitorId}`, sequence: 3, data: { monitorId, to: 'down' } })!;

describe('an event', () => {
  it('is written as the standard says: id, event, data', () => {
    expect(state.text).toBe(`id: 3\nevent: state\ndata: {"monitorId":"${monitorId}","to":"down"}\n\n`);
  });

  it('is none where the payload or the subject is not known', () => {
    expect(eventOf({ subject: 'events.other.x', sequence: 1, data: {} })).toBeUndefined();
    expect(eventOf({ subject: 'events.states.x', sequence: 1, data: undefined })).toBeUndefined();
  });

  it('of a revoked token has its place among the others, and is sent to nobody', () => {
    const revoked = eventOf({ subject: 'events.tokens.t', sequence: 4, data: { tokenId: 't', at: 1 } })!;
    expect(revoked.sequence).toBe(4);
    expect(matches({}, revoked)).toBe(false);
  });

  it('of an opening that is told to more channels has its place too: it is no news of the incident', () => {
    const data = { monitorId, transition: 'opened', reminded: { channels: [], revision: 2 } };
    const again = eventOf({ subject: 'events.incidents.i', sequence: 5, data })!;
    expect(again.sequence).toBe(5);
    expect(matches({}, again)).toBe(false);
  });

  it.each<[EventFilter, boolean]>([
    [{}, true],
    [{ type: ['state'] }, true],
    [{ type: ['incident', 'monitor'] }, false],
    [{ monitorId }, true],
    [{ monitorId: '01999999-9999-7999-8999-999999999998' }, false],
  ])('is filtered by type and monitor: %j → %s', (wanted, expected) => {
    expect(matches(wanted, state)).toBe(expected);
  });
});

describe('an event stream', () => {
  it('cuts off a page that reads too slowly, instead of growing', () => {
    const stream = new EventStream({});
    const large = { ...state, text: 'x'.repeat(100_000) };
    let sent = 0;
    for (; sent < 1_000 && !stream.destroyed; sent++) stream.send(large);
    expect(stream.destroyed).toBe(true);
    expect(sent).toBeLessThan(60);
  });

  it('waits for the page to read before more is replayed', async () => {
    const stream = new EventStream({});
    await stream.drained();
    stream.send({ ...state, text: 'x'.repeat(100_000) });
    let drained = false;
    const waiting = stream.drained().then(() => (drained = true));
    await Promise.resolve();
    expect(drained).toBe(false);
    stream.resume();
    await waiting;
    expect(drained).toBe(true);
  });

  it('ends in order', async () => {
    const stream = new EventStream({});
    stream.send(state);
    stream.finish();
    stream.send(state);
    const texts: string[] = [];
    for await (const chunk of stream) texts.push(String(chunk));
    expect(texts.join('')).toBe(state.text);
  });
});
