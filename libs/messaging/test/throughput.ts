/**
 * Measures the road of a check through this library alone, in one process: publish a task, receive it, publish a result,
 * receive it in batches. Run by hand: `node --import @oxc-node/core/register libs/messaging/test/throughput.ts [per second]`.
 */
import 'reflect-metadata';
import { Controller, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { startNats } from '@tocsin/testing/servers';
import { Consumes, type Delivery, Messaging } from '../src/index.ts';
import { contract, type Job, jobs, optionsFor } from './harness.ts';
import { connectTransport, MessagingModule } from './messaging.module.ts';

const SECONDS = 10;
const rate = Number(process.argv[2] ?? 1_500);

let tasks = 0;
let arrived = 0;
const lateness: number[] = [];

const taskConsumer = { ...jobs, ackWaitMs: 2_500, maxAckPending: 20_000 };
const resultConsumer = {
  ...jobs,
  durable: 'results',
  stream: 'RESULTS',
  filters: ['results.>'],
  schema: { parse: (input: unknown) => jobs.schema.parse(input) as Job & { at: number } },
  ackWaitMs: 30_000,
  maxAckPending: 20_000,
};

@Controller()
class Road {
  constructor(private readonly messaging: Messaging) {}

  @Consumes(taskConsumer, { concurrency: 64 })
  async task(job: Job): Promise<void> {
    const id = `result-${tasks++}`;
    await this.messaging.publish('results.x', { n: job.n, at: (job as Job & { at: number }).at }, { id });
  }

  @Consumes(resultConsumer, { batch: 200, lingerMs: 5 })
  result(deliveries: Delivery<Job & { at: number }>[]): void {
    arrived += deliveries.length;
    const now = performance.now();
    for (const { data } of deliveries) lateness.push(now - data.at);
  }
}

const nats = await startNats();
const road = {
  ...contract,
  streams: [...contract.streams, { ...contract.streams[0]!, name: 'RESULTS', subjects: ['results.>'] }],
};
class App {}
Module({ imports: [MessagingModule.forRoot(optionsFor(nats.url, { contract: road }))], controllers: [Road] })(App);
const app = await NestFactory.create(App, new FastifyAdapter(), { logger: ['error'] });
connectTransport(app);
await app.startAllMicroservices();
const messaging = app.get(Messaging);

const before = process.cpuUsage();
const started = performance.now();
let sent = 0;
while (performance.now() - started < SECONDS * 1_000) {
  const due = Math.min(Math.floor(((performance.now() - started) / 1_000) * rate), sent + 500);
  while (sent < due) {
    const n = sent++;
    void messaging.publish('jobs.x', { n, at: performance.now() }, { id: `job-${started}-${n}` });
  }
  await new Promise((resolve) => setTimeout(resolve, 2));
}
while (arrived < sent) await new Promise((resolve) => setTimeout(resolve, 5));
const seconds = (performance.now() - started) / 1_000;
const { user, system } = process.cpuUsage(before);
const cpu = (user + system) / 1_000;
const sorted = lateness.toSorted((a, b) => a - b);
const at = (q: number) => sorted[Math.floor(q * (sorted.length - 1))]!.toFixed(1);
process.stdout.write(
  `${sent} checks in ${seconds.toFixed(1)} s = ${(sent / seconds).toFixed(0)}/s; CPU ${(cpu / sent).toFixed(3)} ms/check, ` +
    `${(cpu / sent / 4).toFixed(3)} ms/message; publish to batch p50 ${at(0.5)} p99 ${at(0.99)} ms\n`,
);
await app.close();
await nats.stop();
