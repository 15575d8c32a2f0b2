import { subjects } from '@tocsin/contracts';
import { newId } from '@tocsin/core';
import { ApiClient, atTheEnd, publishRaw, startTocsin, type StartedTocsin, Target, until } from '@tocsin/testing';
import { beforeAll, describe, expect, it } from 'vitest';

interface DeadLetter {
  id: number;
  subject: string;
  stream: string;
  reason: string;
}

let tocsin: StartedTocsin;
let api: ApiClient;
let target: Target;

const deadLetters = async () => (await api.get<{ items: DeadLetter[] }>('/v1/dead-letters')).items;

/** One message on each stream that no reader can understand. */
const POISON = [
  { stream: 'CHECKS', subject: subjects.check('default', newId()), body: '{"window":"now"}' },
  { stream: 'RESULTS', subject: subjects.result(newId()), body: 'not even JSON' },
  { stream: 'RESULTS', subject: subjects.heartbeat(newId()), body: '[]' },
  { stream: 'CONFIG', subject: subjects.channelConfig(newId()), body: '{"id":7}' },
  { stream: 'CONFIG', subject: subjects.monitorConfig(newId()), body: 'null' },
  { stream: 'EVENTS', subject: subjects.incidentEvent(newId()), body: '"opened"' },
  { stream: 'COMMANDS', subject: `commands.monitors.monitors-create.${newId()}`, body: '{"spec":{"kind":"ftp"}}' },
  { stream: 'COMMANDS', subject: `commands.monitors.no-such-command.${newId()}`, body: '{}' },
];

describe('a poison message on every stream', { timeout: 60_000 }, () => {
  beforeAll(async () => {
    [tocsin, target] = await Promise.all([startTocsin(), Target.start()]);
    atTheEnd(async () => {
      await tocsin.stop();
      await target.stop();
    });
    api = new ApiClient(tocsin.gateways, tocsin.token);
    await publishRaw(tocsin.nats, POISON);
  }, 180_000);

  it('ends in the dead letters with its reason', async () => {
    const found = await until(
      async () => {
        const letters = await deadLetters();
        return POISON.every(({ subject }) => letters.some((letter) => letter.subject === subject)) && letters;
      },
      { what: 'a dead letter for each' },
    );
    for (const { subject, stream } of POISON) {
      const letter = found.find((each) => each.subject === subject)!;
      expect(letter.stream).toBe(stream);
      expect(letter.reason).not.toBe('');
    }
  });

  it('holds up nothing: a monitor is created, checked and shown meanwhile', async () => {
    const spec = { kind: 'http', name: 'well', interval: '1s', timeout: '1s', settings: { url: target.url } };
    const { id } = await api.post<{ id: string }>('/v1/monitors', spec);
    const state = await until(async () => {
      const { items } = await api.get<{ items: { state: string }[] }>(`/v1/states?monitorId=${id}`);
      return items[0]?.state === 'up' && items[0];
    });
    expect(state.state).toBe('up');
    expect((await api.get<{ instances: { ready: boolean }[] }>('/v1/system')).instances).toHaveLength(14);
  });

  it('can be driven again, and discarded', async () => {
    const letters = await deadLetters();
    const first = letters.find(({ stream }) => stream === 'CHECKS');
    const second = letters.find(({ stream }) => stream === 'EVENTS');
    await api.post(`/v1/dead-letters/${first!.id}/redrive`);
    await until(
      async () => (await deadLetters()).some(({ id, subject }) => id > first!.id && subject === first!.subject),
      {
        what: 'the same poison, dead again',
      },
    );
    await api.delete(`/v1/dead-letters/${second!.id}`);
    expect((await deadLetters()).map(({ id }) => id)).not.toContain(second!.id);
  });
});
