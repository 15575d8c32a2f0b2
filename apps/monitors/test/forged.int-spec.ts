import { createHash, generateKeyPairSync } from 'node:crypto';
import { commands, contract, requests } from '@tocsin/contracts';
import { newId } from '@tocsin/core';
import { Messaging } from '@tocsin/messaging';
import { atTheEnd, brokerUsers, Intruder, natsServer, until } from '@tocsin/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { carryOut, startSystem, type System } from './system.ts';

const OPERATOR = { name: 'operator', password: 'operator' };
const admin = { spec: { name: 'intruder', role: 'admin' } };

let system: System;
let intruder: Intruder;
let gateway: Messaging;

beforeAll(async () => {
  const nats = await natsServer({ user: OPERATOR, users: brokerUsers() });
  const as = (user: string) => ({ TOCSIN_NATS_USER: user, TOCSIN_NATS_PASSWORD: user });
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const given = publicKey.export({ format: 'der', type: 'spki' }).toString('base64');
  system = await startSystem({ ...as('monitors'), TOCSIN_COMMAND_PUBLIC_KEY: given }, { nats, user: OPERATOR });
  intruder = await Intruder.as('prober', nats.url);
  const sign = [privateKey];
  const options = { service: 'gateway', instance: 'test', replicas: 1 as const, contract, commandKeys: { sign } };
  gateway = await Messaging.connect({ ...options, servers: [nats.url], user: 'gateway', password: 'gateway' });
  atTheEnd(() => gateway.close());
});

/** Tries to become admin by a command, whichever way it takes to the owner; true when a token of it works. */
async function becomesAdmin(send: (subject: string, named: Record<string, string>) => Promise<void>): Promise<boolean> {
  const operation = newId();
  const answers = intruder.listen(`_INBOX.prober.${operation}`) as { secret?: string; code?: string }[];
  const subject = `commands.monitors.${commands.tokensCreate.name}.${operation}`;
  await send(subject, {
    'Tocsin-Operation': operation,
    'Tocsin-Request-Hash': 'h',
    'Tocsin-Reply': `_INBOX.prober.${operation}`,
    'Nats-Msg-Id': operation,
  }).catch(() => undefined);
  await until(() => answers.length > 0, { timeoutMs: 1_500, what: 'an answer' }).catch(() => undefined);
  const { secret } = answers[0] ?? {};
  if (secret === undefined) return false;
  const hash = createHash('sha256').update(secret).digest('hex');
  return (await gateway.request(requests.tokensVerify, { hash })).token?.role === 'admin';
}

it('a command of the gateway is carried out', async () => {
  const { secret } = await carryOut(gateway, commands.tokensCreate, { spec: { name: 'zoë', role: 'viewer' } });
  expect(secret).toMatch(/^tsn_/);
});

describe('whoever has the environment of a prober becomes no admin', () => {
  it('by having results repeated as commands', async () => {
    const forged = await becomesAdmin(async (subject, named) => {
      const { config } = await system.messaging.connection.jsm.streams.info('RESULTS');
      const republish = { src: 'results.evil', dest: subject };
      await expect(intruder.change('RESULTS', { ...config, republish })).rejects.toThrow(/timeout/i);
      // Even where somebody else did it.
      await system.messaging.connection.jsm.streams.update('RESULTS', { republish });
      await intruder.publish('results.evil', admin, named);
    });
    expect(forged).toBe(false);
  });

  it('by having a bucket read in the name of commands', async () => {
    expect(await becomesAdmin((subject, named) => intruder.haveItRead('suspects', admin, { subject, named }))).toBe(
      false,
    );
  });

  it('by sending a command itself', async () => {
    expect(await becomesAdmin((subject, named) => intruder.publish(subject, admin, named))).toBe(false);
  });
});
