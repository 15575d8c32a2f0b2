import { Controller } from '@nestjs/common';
import { systemClock, TocsinError } from '@tocsin/core';
import { natsServer } from '@tocsin/testing';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Answers, Messaging, type RequestContext } from '../src/index.ts';
import { client, double, instance, type Instance, type Job, outer } from './harness.ts';

type Behaviour = (job: Job, ctx: RequestContext) => Promise<Job> | Job;

const plain: Behaviour = (job) => ({ n: job.n * 2 });
const behaviours = new Map<string, Behaviour>();
const asked: { by: string; ctx: RequestContext }[] = [];

@Controller()
class Maths {
  constructor(private readonly messaging: Messaging) {}

  @Answers(double)
  async double(job: Job, ctx: RequestContext): Promise<Job> {
    const by = this.messaging.connection.options.instance;
    asked.push({ by, ctx });
    return (behaviours.get(by) ?? plain)(job, ctx);
  }

  @Answers(outer)
  async outer(job: Job, ctx: RequestContext): Promise<Job> {
    asked.push({ by: 'outer', ctx });
    return this.messaging.request(double, job);
  }
}

let url: string;
let tester: Messaging;
const instances: Instance[] = [];

beforeAll(async () => {
  url = (await natsServer()).url;
  tester = await client(url);
});

afterEach(async () => {
  await Promise.all(instances.splice(0).map((one) => one.close()));
  behaviours.clear();
  asked.length = 0;
});

async function start(name: string, behaviour: Behaviour = plain): Promise<void> {
  behaviours.set(name, behaviour);
  instances.push(await instance(url, Maths, { instance: name }));
}

describe('a request', () => {
  it('is answered by one of the instances', async () => {
    await start('a');
    await start('b');
    expect(await tester.request(double, { n: 21 })).toEqual({ n: 42 });
    expect(asked).toHaveLength(1);
  });

  it('that is refused throws the error of the one who refused it', async () => {
    await start('a', () => {
      throw new TocsinError('stale', 'read it again', {
        fields: [{ path: '/n', message: 'old' }],
        details: { revision: 3 },
      });
    });
    const refused = tester.request(double, { n: 1 });
    await expect(refused).rejects.toBeInstanceOf(TocsinError);
    await expect(refused).rejects.toMatchObject({
      code: 'stale',
      message: 'read it again',
      retry: false,
      fields: [{ path: '/n', message: 'old' }],
      details: { revision: 3 },
    });
  });

  it('tells nothing of a defect but that there was one', async () => {
    await start('a', () => {
      throw new Error('password=hunter2');
    });
    await expect(tester.request(double, { n: 1 })).rejects.toMatchObject({
      code: 'internal',
      message: expect.not.stringContaining('hunter2'),
    });
  });

  it('whose answer is larger than the broker takes is refused as too large', async () => {
    await start('a', () => ({ n: 1, text: 'x'.repeat(1_048_576) }) as Job);
    await expect(tester.request(double, { n: 1 })).rejects.toMatchObject({ code: 'too_large', retry: false });
  });

  it('with an input that its schema refuses is invalid, and its handler is not called', async () => {
    await start('a');
    await expect(tester.request(double, { n: 'x' } as unknown as Job)).rejects.toMatchObject({ code: 'invalid' });
    expect(asked).toEqual([]);
  });

  it('is put to another instance when the first does not answer, and not done twice by that one', async () => {
    const first: Behaviour = (job) =>
      asked.length === 1 ? new Promise<Job>(() => undefined) : plain(job, asked[0]!.ctx);
    await start('a', first);
    await start('b', first);
    expect(await tester.request(double, { n: 4 })).toEqual({ n: 8 });
    expect(asked).toHaveLength(2);
    expect(asked[0]!.by).not.toBe(asked[1]!.by);
  });

  it('that takes long is not begun again by the instance that has it in work', async () => {
    await start('slow', (job) => new Promise((resolve) => setTimeout(() => resolve(job), 1_000)));
    expect(await tester.request(double, { n: 4 })).toEqual({ n: 4 });
    expect(asked).toHaveLength(1);
  });

  it('is put to another instance when the first says that it cannot for the moment', async () => {
    const first: Behaviour = (job) => {
      if (asked.length === 1) throw new TocsinError('unavailable', 'full');
      return plain(job, asked[0]!.ctx);
    };
    await start('a', first);
    await start('b', first);
    expect(await tester.request(double, { n: 4 })).toEqual({ n: 8 });
    expect(asked).toHaveLength(2);
  });

  it('is answered by whoever was asked: an address that was seen does not lead to the next one', async () => {
    const spy = (await client(url)).connection.nats;
    const replies: string[] = [];
    spy.subscribe(double.subject, { callback: (_error, { reply }) => void replies.push(reply ?? '') });
    await spy.flush();
    let forge: (() => Promise<void>) | undefined;
    await start('a', async (job) => {
      await forge?.();
      return plain(job, {} as RequestContext);
    });
    await tester.request(double, { n: 1 });
    forge = async () => {
      const inbox = replies[0]!.slice(0, replies[0]!.lastIndexOf('.'));
      for (let n = 0; n < 1_000; n += 1) spy.publish(`${inbox}.${n.toString(36)}`, JSON.stringify({ n: 666 }));
      await spy.flush();
    };
    expect(await tester.request(double, { n: 2 })).toEqual({ n: 4 });
    expect(new Set(replies).size).toBeGreaterThan(1);
  });

  it('ends by its deadline, and says that a retry may help', async () => {
    await start('slow', () => new Promise<Job>(() => undefined));
    const started = systemClock.monotonic();
    const late = tester.request(double, { n: 1 }, { deadline: systemClock.now() + 300 });
    await expect(late).rejects.toMatchObject({ code: 'deadline', retry: true });
    expect(systemClock.monotonic() - started).toBeLessThan(600);
  });

  it('that arrives past its deadline is dropped, not done', async () => {
    await start('a');
    const { nats } = tester.connection;
    const expired = Object.assign(Object.create(null) as object, {
      encode: () => new TextEncoder().encode(`NATS/1.0\r\nTocsin-Deadline: ${systemClock.now() - 1}\r\n\r\n`),
    });
    nats.publish(double.subject, '{"n":1}', { headers: expired as never });
    await tester.request(double, { n: 2 });
    expect(asked).toHaveLength(1);
  });

  it('asked while another is answered inherits what is left of its time', async () => {
    await start('a');
    const deadline = systemClock.now() + 500;
    await tester.request(outer, { n: 1 }, { deadline });
    const [first, second] = asked;
    expect(first!.ctx.deadline).toBeLessThanOrEqual(deadline);
    expect(second!.ctx.deadline).toBeLessThan(first!.ctx.deadline);
  });

  it('that nobody answers is unavailable soon, not only at its deadline', async () => {
    const started = systemClock.monotonic();
    const lonely = tester.request({ ...double, subject: 'maths.nobody', timeoutMs: 10_000 }, { n: 1 });
    await expect(lonely).rejects.toMatchObject({ code: 'unavailable', retry: true });
    expect(systemClock.monotonic() - started).toBeLessThan(4_000);
  });

  it('is not given up before nobody has listened for a while without a break', async () => {
    const spec = { ...double, subject: 'maths.changing', timeoutMs: 10_000 };
    const answer = tester.request(spec, { n: 1 });
    const pass = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
    await pass(300);
    // One that has the question in work, and dies.
    const silent = tester.connection.nats.subscribe(spec.subject, { callback: () => undefined });
    await pass(800);
    silent.unsubscribe();
    await pass(300);
    const next = tester.connection.nats.subscribe(spec.subject, {
      callback: (_, msg) => void msg.respond('{"n":2}'),
    });
    expect(await answer).toEqual({ n: 2 });
    next.unsubscribe();
  });
});

describe('gather', () => {
  it('returns the answer of every instance, and misses the silent', async () => {
    await start('a', () => ({ n: 1 }));
    await start('b', () => ({ n: 2 }));
    await start('c', () => new Promise<Job>(() => undefined));
    const answers = await tester.gather(double, { n: 0 }, { windowMs: 300 });
    expect(answers.map(({ n }) => n).toSorted((x, y) => x - y)).toEqual([1, 2]);
  });
});
