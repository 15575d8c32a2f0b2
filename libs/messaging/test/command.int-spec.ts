import { generateKeyPairSync } from 'node:crypto';
import { Controller } from '@nestjs/common';
import { newId, systemClock, TocsinError } from '@tocsin/core';
import { natsServer, until } from '@tocsin/testing';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CarriesOut, type CommandContext, type Messaging } from '../src/index.ts';
import { client, instance, type Instance, type Job, make } from './harness.ts';

const carried: { job: Job; ctx: CommandContext }[] = [];
let behave: (job: Job, ctx: CommandContext) => Promise<Job> | Job = (job) => job;

@Controller()
class Maker {
  @CarriesOut(make)
  async make(job: Job, ctx: CommandContext): Promise<Job> {
    carried.push({ job, ctx });
    return behave(job, ctx);
  }
}

let url: string;
let tester: Messaging;
let owner: Instance | undefined;

beforeAll(async () => {
  url = (await natsServer()).url;
  tester = await client(url);
});

afterEach(async () => {
  await owner?.close();
  owner = undefined;
  carried.length = 0;
  behave = (job) => job;
});

const order = (n: number, o: { operationId?: string; waitMs?: number } = {}) =>
  tester.command(
    make,
    { n },
    {
      operationId: o.operationId ?? newId(),
      requestHash: `hash-${n}`,
      actor: 'token:ops',
      tokenId: 'a-token',
      route: 'POST /v1/things',
      deadline: systemClock.now() + (o.waitMs ?? 3_000),
    },
  );

describe('a command', () => {
  it('is carried out once and answered, with who asked and under which operation', async () => {
    owner = await instance(url, Maker);
    const operationId = newId();
    expect(await order(7, { operationId })).toEqual({ status: 'done', result: { n: 7 } });
    expect(carried).toHaveLength(1);
    expect(carried[0]!.ctx).toMatchObject({ operationId, requestHash: 'hash-7', actor: 'token:ops', deliveries: 1 });
    expect(carried[0]!.ctx).toMatchObject({ tokenId: 'a-token', route: 'POST /v1/things' });
    await until(async () => !(await tester.commandPending(operationId, { deadline: Date.now() + 2_000 })), {
      what: 'taken off the stream',
    });
  });

  it('that is refused throws the refusal and makes no dead letter', async () => {
    owner = await instance(url, Maker);
    behave = () => {
      throw new TocsinError('conflict', 'there is one already', { fields: [{ path: '/n', message: 'taken' }] });
    };
    await expect(order(1)).rejects.toMatchObject({ code: 'conflict', fields: [{ path: '/n', message: 'taken' }] });
    expect(await tester.deadLetters.list({ limit: 1 })).toEqual([]);
  });

  it('is accepted when nobody carries it out in time, and carried out later all the same', async () => {
    const operationId = newId();
    expect(await order(3, { operationId, waitMs: 200 })).toEqual({ status: 'accepted' });
    expect(await tester.commandPending(operationId, { deadline: Date.now() + 2_000 })).toBe(true);
    owner = await instance(url, Maker);
    await until(() => carried.length === 1, { what: 'carried out' });
    await until(async () => !(await tester.commandPending(operationId, { deadline: Date.now() + 2_000 })), {
      what: 'taken off the stream',
    });
  });

  it('sent again under the same operation is not carried out again; both callers get the one answer', async () => {
    owner = await instance(url, Maker);
    behave = (job) => new Promise((resolve) => setTimeout(() => resolve(job), 300));
    const operationId = newId();
    const ends = await Promise.all([order(5, { operationId }), order(5, { operationId })]);
    expect(ends).toEqual([
      { status: 'done', result: { n: 5 } },
      { status: 'done', result: { n: 5 } },
    ]);
    expect(carried).toHaveLength(1);
  });

  it('with another request under the same operation reaches its owner, and each caller gets its own answer', async () => {
    owner = await instance(url, Maker);
    behave = (job, ctx) => {
      if (ctx.requestHash !== 'hash-5') throw new TocsinError('key_reused', 'the key was used for another request');
      return new Promise((resolve) => setTimeout(() => resolve(job), 300));
    };
    const operationId = newId();
    const first = order(5, { operationId });
    await expect(order(6, { operationId })).rejects.toMatchObject({ code: 'key_reused' });
    expect(await first).toEqual({ status: 'done', result: { n: 5 } });
  });

  it('sent again after it was carried out is accepted at once: its outcome can be looked up', async () => {
    owner = await instance(url, Maker);
    const operationId = newId();
    await order(5, { operationId });
    const started = systemClock.monotonic();
    expect(await order(5, { operationId })).toEqual({ status: 'accepted' });
    expect(systemClock.monotonic() - started).toBeLessThan(1_000);
    expect(carried).toHaveLength(1);
  });

  it('is tried again while what its owner needs is away', async () => {
    owner = await instance(url, Maker);
    behave = (job, ctx) => {
      if (ctx.deliveries < 3) throw new TocsinError('unavailable', 'the database is away');
      return job;
    };
    expect(await order(6)).toEqual({ status: 'done', result: { n: 6 } });
    expect(carried).toHaveLength(3);
  });

  it('that its schema refuses is answered as invalid and kept as a dead letter', async () => {
    owner = await instance(url, Maker);
    await expect(order('x' as unknown as number)).rejects.toMatchObject({ code: 'invalid' });
    expect(carried).toEqual([]);
    expect(await tester.deadLetters.list({ limit: 5 })).toMatchObject([
      { durable: 'worker-commands', reason: 'unparsable' },
    ]);
  });

  it('refuses an operation id that would break out of its subject', async () => {
    for (const operationId of ['a.b', 'a b', '*', '>', '']) {
      await expect(order(1, { operationId })).rejects.toMatchObject({ code: 'invalid' });
    }
  });
});

describe('commands that prove who sent them', () => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const anything = { ...make, input: { parse: (input: unknown) => input } };
  const once = () => ({ operationId: newId(), requestHash: 'h', deadline: systemClock.now() + 3_000 });
  const deadOf = async (by: Messaging, operationId: string) =>
    (await by.deadLetters.list({ limit: 50 })).filter(({ subject }) => subject.endsWith(operationId));
  let gateway: Messaging;

  beforeEach(async () => {
    gateway = await client(url, { commandKeys: { sign: [privateKey] } });
    owner = await instance(url, Maker, { commandKeys: { trust: [publicKey] } });
  });

  it('are carried out, and those of anybody else are not: they are dead letters, and who sent them is told so', async () => {
    expect(await gateway.command(make, { n: 7 }, once())).toEqual({ status: 'done', result: { n: 7 } });
    const forged = once();
    await expect(tester.command(make, { n: 8 }, forged)).rejects.toMatchObject({ code: 'forbidden' });
    expect(carried.map(({ job }) => job.n)).toEqual([7]);
    expect(await deadOf(tester, forged.operationId)).toMatchObject([{ reason: 'unproven', code: 'forbidden' }]);
  });

  it('are proven anew when they are driven again; forged ones stay what they are', async () => {
    const [mine, forged] = [once(), once()];
    await expect(gateway.command(anything, { n: 'x' }, mine)).rejects.toMatchObject({ code: 'invalid' });
    await expect(tester.command(make, { n: 8 }, forged)).rejects.toMatchObject({ code: 'forbidden' });
    const [letter] = await deadOf(gateway, mine.operationId);
    await gateway.deadLetters.redrive(letter!.sequence);
    const again = async () =>
      (await deadOf(gateway, mine.operationId)).filter((one) => one.sequence !== letter!.sequence);
    await until(async () => (await again()).length > 0, { what: 'refused for the same reason once more' });
    expect((await again())[0]).toMatchObject({ reason: 'unparsable' });
    const [bad] = await deadOf(gateway, forged.operationId);
    await expect(gateway.deadLetters.redrive(bad!.sequence)).rejects.toMatchObject({ code: 'forbidden' });
    expect(carried).toEqual([]);
  });
});
