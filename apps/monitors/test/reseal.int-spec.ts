import { generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { channelSpec, commands, monitorSpec, requests, streams, subjects } from '@tocsin/contracts';
import { isSealed, newId, openSecret, Sealing, sealSecret, type SecretKeys } from '@tocsin/core';
import { Database } from '@tocsin/database';
import { atTheEnd, startService, until } from '@tocsin/testing';
import { beforeAll, expect, it } from 'vitest';
import { carryOut, startSystem, type System } from './system.ts';

const before: SecretKeys = [randomBytes(32)];
const next: SecretKeys = [randomBytes(32)];
const written = (...keys: Buffer[]): string => keys.map((key) => key.toString('base64')).join(',');

interface Settings {
  auth?: { token: string };
  secret?: string;
}

let system: System;
let database: Database;

beforeAll(async () => {
  system = await startSystem({ TOCSIN_SECRET: written(...before) });
  database = new Database({ url: system.database.urlFor('monitors'), schema: 'monitors', applicationName: 'test' });
  atTheEnd(() => database.close());
}, 60_000);

const create = async (name: string, more: object): Promise<string> => {
  const spec = monitorSpec.parse({ kind: 'http', name, settings: { url: 'http://127.0.0.1:9/', ...more } });
  return (await carryOut(system.messaging, commands.monitorsCreate, { spec })).id;
};
const stored = async (kind: string, id: string): Promise<{ revision: number; settings: Settings }> => {
  const [row] = await database.query<{ revision: number; spec: { settings: Settings } }>(
    `SELECT revision, spec FROM ${kind} WHERE id = $1`,
    [id],
  );
  return { revision: row!.revision, settings: row!.spec.settings };
};

it('what the key before has sealed is sealed with the new one, announced, and nothing else is touched', async () => {
  const token = sealSecret(before, 'of the target');
  const secretive = await create('secretive', { auth: { type: 'bearer', token } });
  const open = await create('open', {});
  const lost = await create('lost', { auth: { type: 'bearer', token: sealSecret([randomBytes(32)], 'x') } });
  const hook = channelSpec.parse({
    kind: 'webhook',
    name: 'hook',
    settings: { url: 'http://127.0.0.1:9/', secret: sealSecret(before, 'of the channel') },
  });
  const channel = (await carryOut(system.messaging, commands.channelsCreate, { spec: hook })).id;
  const asked = { operationId: newId(), requestHash: 'a'.repeat(64) };
  const spec = { name: 'ci', role: 'viewer' as const };
  const made = await carryOut(system.messaging, commands.tokensCreate, { spec }, asked);

  await Promise.all(system.instances.map((instance) => instance.stop()));
  const env = { ...system.env, TOCSIN_SECRET: written(...next, ...before) };
  system.instances = await Promise.all([startService('monitors', env), startService('monitors', env)]);

  const opened = async (kind: string, id: string, of: (settings: Settings) => string) => {
    const { settings, revision } = await stored(kind, id);
    expect(isSealed(of(settings))).toBe(true);
    return { plain: openSecret(next, of(settings)), revision };
  };
  const bearer = ({ auth }: Settings): string => auth?.token ?? '';
  await until(async () => (await stored('channels', channel)).revision > 1, { what: 'the channel sealed anew' });
  expect(await opened('monitors', secretive, bearer)).toEqual({ plain: 'of the target', revision: 2 });
  expect(await opened('channels', channel, ({ secret }) => secret ?? '')).toEqual({
    plain: 'of the channel',
    revision: 2,
  });
  expect((await stored('monitors', open)).revision).toBe(1);
  expect((await stored('monitors', lost)).revision).toBe(1);

  const { jsm } = system.messaging.connection;
  const announced = (): Promise<{ revision?: number }> =>
    jsm.streams
      .getMessage(streams.config.name, { last_by_subj: subjects.monitorConfig(secretive) })
      .then((message) => message!.json<{ revision: number }>());
  await until(async () => (await announced()).revision === 2, { what: 'its announcement' });

  // Asked again, it is answered as it was: with the secret that the token has, which the key before made.
  const { operationId } = asked;
  const again = await system.messaging.request(requests.operationsOfMonitors, { operationId });
  expect(again.result).toEqual(made);
});

it('keys of their own seal what the one key of before did, and the addresses of webhooks, while it serves', async () => {
  const pairs = { checks: generateKeyPairSync('x25519'), channels: generateKeyPairSync('x25519') };
  const spki = ({ publicKey }: { publicKey: KeyObject }): string =>
    publicKey.export({ format: 'der', type: 'spki' }).toString('base64');
  const monitor = await create('of before', { auth: { type: 'bearer', token: sealSecret(next, 'of the target') } });
  const url = 'http://bot:pa55@127.0.0.1:9/T0/B0?key=x';
  const spec = channelSpec.parse({ kind: 'webhook', name: 'plain', settings: { url } });
  const channel = (await carryOut(system.messaging, commands.channelsCreate, { spec })).id;
  expect(JSON.stringify(await stored('channels', channel))).toContain(url);

  const [first, second] = system.instances;
  await first!.stop();
  const env = {
    ...system.env,
    TOCSIN_SECRET: written(...next),
    TOCSIN_CHECKS_PUBLIC_KEY: spki(pairs.checks),
    TOCSIN_CHANNELS_PUBLIC_KEY: spki(pairs.channels),
    TOCSIN_TOKEN_KEY: randomBytes(32).toString('base64'),
  };
  system.instances = [second!, await startService('monitors', env)];
  await until(async () => (await stored('channels', channel)).revision > 1, { what: 'the address sealed' });
  const settings = (await stored('channels', channel)).settings as { url: string };
  expect(settings.url).toMatch(/^http:\/\/127\.0\.0\.1:9\/…#sealed:v2:/);
  const opener = (of: keyof typeof pairs) => new Sealing({ privateKeys: [pairs[of].privateKey] });
  expect(opener('channels').openAddress(settings.url)).toBe(url);
  const { auth } = (await stored('monitors', monitor)).settings;
  expect(opener('checks').open(auth!.token)).toBe('of the target');
  expect(() => opener('channels').open(auth!.token)).toThrow(/another key/);
});
