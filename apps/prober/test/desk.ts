import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  checkId,
  type CheckTask,
  contract,
  httpSettings,
  type HttpSettings,
  type Result,
  result as resultSchema,
  subjects,
} from '@tocsin/contracts';
import { newId } from '@tocsin/core';
import { Messaging } from '@tocsin/messaging';
import { atTheEnd } from '@tocsin/testing';
import type { z } from 'zod';

/** Hands out tasks in place of the scheduler and reads results in place of incidents. */
export class Desk {
  private constructor(readonly messaging: Messaging) {}

  static async open(url: string): Promise<Desk> {
    const messaging = await Messaging.connect({
      service: 'desk',
      instance: 'desk',
      servers: [url],
      replicas: 1,
      contract,
    });
    atTheEnd(() => messaging.close());
    return new Desk(messaging);
  }

  /** Publishes the task of a window that is due now. */
  async ask(settings: HttpSettings, overrides: Partial<CheckTask> = {}): Promise<CheckTask> {
    const dueAt = Date.now();
    const task: CheckTask = {
      monitorId: newId(),
      revision: 1,
      window: 1,
      location: 'lab',
      attempt: 0,
      dueAt,
      expiresAt: dueAt + 30_000,
      timeoutMs: 10_000,
      intervalMs: 30_000,
      target: { kind: 'http', settings },
      ...overrides,
    };
    await this.messaging.publish(subjects.check(task.location, task.monitorId), task, { id: checkId(task) });
    return task;
  }

  /** All results of a task's monitor that are stored. */
  async results(task: CheckTask): Promise<Result[]> {
    const found: Result[] = [];
    for (let sequence = 1; ;) {
      const request = JSON.stringify({ seq: sequence, next_by_subj: subjects.result(task.monitorId) });
      const reply = await this.messaging.connection.nats.request('$JS.API.STREAM.MSG.GET.RESULTS', request);
      const { message } = reply.json<{ message?: { seq: number; data: string } }>();
      if (!message) return found;
      found.push(resultSchema.parse(JSON.parse(Buffer.from(message.data, 'base64').toString())));
      sequence = message.seq + 1;
    }
  }

  /** How many tasks are still in the stream. */
  async tasksLeft(): Promise<number> {
    const queues = await this.messaging.queues();
    return queues.find((queue) => queue.stream === 'CHECKS')!.messages;
  }
}

/** A web server that counts its requests. */
export class Site {
  readonly hits: number[] = [];
  readonly server: Server;

  private constructor(listener: RequestListener) {
    this.server = createServer((request, response) => {
      this.hits.push(Date.now());
      listener(request, response);
    });
  }

  static async open(listener: RequestListener): Promise<Site> {
    const site = new Site(listener);
    await new Promise<void>((resolve) => site.server.listen(0, '127.0.0.1', resolve));
    atTheEnd(() => {
      site.server.closeAllConnections();
      site.server.close();
    });
    return site;
  }

  settings(more: Omit<z.input<typeof httpSettings>, 'url'> = {}, path = '/'): HttpSettings {
    const { port } = this.server.address() as AddressInfo;
    return httpSettings.parse({ url: `http://127.0.0.1:${port}${path}`, ...more });
  }
}
