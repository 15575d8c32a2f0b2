import { type CustomTransportStrategy, type MessageHandler, Server } from '@nestjs/microservices';
import { systemClock, within } from '@tocsin/core';
import { isObservable, lastValueFrom } from 'rxjs';
import { type CommandHandler, commandDefinition } from '../consume/command-consumer.ts';
import {
  type CommandSpec,
  commandPattern,
  type ConsumerSpec,
  type HandlerOptions,
  type RequestSpec,
} from '../contract.ts';
import type { Messaging } from '../client/messaging.ts';
import { ExclusiveSlot } from '../consume/exclusive-slot.ts';
import { Responder } from '../consume/responder.ts';
import type { ConsumerDefinition } from '../consume/consumer-definition.ts';
import { Worker } from '../consume/worker.ts';

const DRAIN_MS = 8_000;

/** The Nest transport: standard handlers over durable consumers, request subjects and commands. */
export class JetStreamTransport extends Server implements CustomTransportStrategy {
  private readonly workers: Worker[] = [];
  private readonly slot = new ExclusiveSlot();
  private readonly responders: Responder[] = [];
  private drained: Promise<void> | undefined;

  constructor(private readonly messaging: Messaging) {
    super();
  }

  /** Reconciles the consumers, then begins to take messages. A pattern that the contract lacks refuses the start. */
  async listen(callback: (error?: unknown) => void): Promise<void> {
    try {
      await this.start();
      callback();
    } catch (error) {
      callback(error);
    }
  }

  /**
   * Takes nothing more, hands back what has not begun so that another instance gets it at once, and waits for what has.
   * @param timeoutMs after it, running handlers are aborted and their deliveries handed back too
   */
  drain(timeoutMs = DRAIN_MS): Promise<void> {
    this.drained ??= this.stopTaking(systemClock.monotonic() + timeoutMs);
    return this.drained;
  }

  /** Drains; the connection belongs to `Messaging` and stays open. */
  async close(): Promise<void> {
    await this.drain();
  }

  on(): void {
    throw new Error('JetStreamTransport has no events. Watch Messaging.status() instead.');
  }

  unwrap<T>(): T {
    return this.messaging.connection.nats as T;
  }

  private async start(): Promise<void> {
    // Called again after a start that failed half-way: what was prepared then is prepared anew.
    this.workers.length = 0;
    this.responders.length = 0;
    await this.messaging.reconcile();
    const { connection } = this.messaging;
    const { contract } = connection.options;
    const consumers = byKey(Object.values(contract.consumers), (spec) => spec.durable);
    for (const [key, spec] of Object.entries(contract.consumers)) consumers.set(key, spec);
    const requests = byKey(Object.values(contract.requests), (spec) => spec.subject);
    const commands = byKey(Object.values(contract.commands), (spec) => commandPattern(spec));
    const commandHandlers = new Map<string, CommandHandler>();
    for (const [pattern, handler] of this.messageHandlers) {
      const consumer = consumers.get(pattern);
      const request = requests.get(pattern);
      const command = commands.get(pattern);
      if (handler.isEventHandler && consumer) await this.consume(consumer, handler);
      else if (!handler.isEventHandler && request) this.respond(request, handler);
      else if (!handler.isEventHandler && command) commandHandlers.set(pattern, commandHandler(command, handler));
      else
        throw new Error(
          `No ${handler.isEventHandler ? 'consumer' : 'request or command'} "${pattern}" in the contract.`,
        );
    }
    if (commandHandlers.size > 0) await this.serve(commandDefinition(connection, commandHandlers));
    for (const responder of this.responders) responder.start();
    for (const worker of this.workers) worker.start();
    await connection.nats.flush();
  }

  private async consume(spec: ConsumerSpec, handler: MessageHandler): Promise<void> {
    const options = optionsOf(handler);
    await this.serve({
      spec,
      kind: 'event',
      options,
      parse: (delivery) => spec.schema.parse(delivery.msg.json()),
      handle: (data, delivery) => call(handler, data, delivery),
    });
  }

  private async serve(definition: ConsumerDefinition): Promise<void> {
    await this.messaging.topology.keep(definition.spec);
    this.workers.push(new Worker(this.messaging.connection, this.messaging.deadLetters, definition, this.slot));
  }

  private respond(spec: RequestSpec, handler: MessageHandler): void {
    const { concurrency } = optionsOf(handler);
    const handle = (input: unknown, ctx: unknown): Promise<unknown> => call(handler, input, ctx);
    this.responders.push(new Responder(this.messaging.connection, spec, handle, concurrency));
  }

  private async stopTaking(until: number): Promise<void> {
    await Promise.all([
      ...this.workers.map((worker) => worker.drain(until)),
      ...this.responders.map((responder) => responder.drain(until)),
    ]);
    const { nats } = this.messaging.connection;
    // The last acks must have left before the process goes.
    if (nats.isClosed()) return;
    await within(
      nats.flush().catch(() => undefined),
      500,
      () => undefined,
    );
  }
}

function commandHandler(spec: CommandSpec, handler: MessageHandler): CommandHandler {
  return { spec, handle: (input, ctx) => call(handler, input, ctx) };
}

function optionsOf(handler: MessageHandler): HandlerOptions {
  return (handler.extras ?? {}) as HandlerOptions;
}

async function call(handler: MessageHandler, data: unknown, ctx: unknown): Promise<unknown> {
  const result: unknown = await handler(data, ctx);
  return isObservable(result) ? lastValueFrom(result, { defaultValue: undefined }) : result;
}

function byKey<T>(values: readonly T[], key: (value: T) => string): Map<string, T> {
  return new Map(values.map((value) => [key(value), value]));
}
