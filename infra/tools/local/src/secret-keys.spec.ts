import { type ServiceName, serviceNames } from '@tocsin/contracts';
import { describe, expect, it } from 'vitest';
import { newSecretKeys, secretKeysOf } from './secret-keys.ts';

const secretKeys = newSecretKeys();
const held = (service: ServiceName, secret?: string) =>
  Object.keys(secretKeysOf(service, { secretKeys, secret })).toSorted();

describe('the keys of a deployment', () => {
  it('that open are with who uses secrets, and with nobody who receives or keeps them', () => {
    const holders = (name: string) => serviceNames.filter((one) => held(one).includes(name));
    expect(holders('TOCSIN_CHECKS_KEY')).toEqual(['prober']);
    expect(holders('TOCSIN_CHANNELS_KEY')).toEqual(['notifier']);
    expect(holders('TOCSIN_TOKEN_KEY')).toEqual(['monitors']);
    expect(holders('TOCSIN_HEARTBEAT_KEY')).toEqual(['gateway']);
    expect(holders('TOCSIN_REQUEST_KEY')).toEqual(['gateway']);
    expect(holders('TOCSIN_CHECKS_PUBLIC_KEY')).toEqual(['gateway', 'monitors']);
    expect(holders('TOCSIN_SECRET')).toEqual([]);
  });

  it('of an earlier version go on where it made one: who opens has it, and the gateway has it no more', () => {
    const holders = serviceNames.filter((one) => held(one, 'before').includes('TOCSIN_SECRET'));
    expect(holders).toEqual(['monitors', 'prober', 'notifier']);
    expect(secretKeysOf('gateway', { secret: 'before' })).toEqual({ TOCSIN_SECRET: 'before' });
    expect(secretKeysOf('scheduler', { secret: 'before' })).toEqual({});
  });

  it('keep the addresses of heartbeats', () => {
    const key = Buffer.alloc(32, 7).toString('base64');
    const derived = 'J9E1LeqJtAQnbvsPSkx+HxtCiB7xtRNamc1U2+Vi28Y=';
    expect(newSecretKeys(key).heartbeat).toBe(derived);
    expect(newSecretKeys(`${key}, ${key}`).heartbeat).toBe(`${derived},${derived}`);
  });
});
