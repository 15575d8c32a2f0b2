import { type CustomTransportStrategy, type MessageHandler, Server } from '@nestjs/microservices';
import { systemClock, within } from '@tocsin/core';
import { isObservable, lastValueFrom } from 'rxjs';
import { type CommandHandler, commandDefinition } from '../consume/command-consumer.ts';
import type { Messaging } from '../client/messaging.ts';
import { ExclusiveSlot } from '../consume/exclusive-slot.ts';
import { Responder } from '../consume/responder.ts';
import type { ConsumerDefinition } from '../consume/consumer-definition.ts';
import { Worker } from '../consume/worker.ts';
import { bindingOf, type FromConfig, type HandlerBinding } from './decorators.ts';

const DRAIN_MS = 8_000;

/** The Nest transport: handlers over durable consumers, request subjects and commands (see `decorators.ts`). */
export class JetStreamTransport extends Server implements CustomTransportStrategy {
  private readonly workers: Worker[] = [];
  private readonly slot = new ExclusiveSlot();
  private readonly responders: Responder[] = [];
  private drained: Promise<void> | undefined;

  /** @param config the service's configuration, from which consumers and options may follow (see `Consumes`) */
  constructor(
    private readonly messaging: Messaging,
    private readonly config: object = {},
  ) {
    super();
  }

  /** Reconciles the consumers, then begins to take messages. A handler of Nest's own decorators refuses the start. */
  async listen(callback: (error?: unknown) => void): Promise<void> {
    try {
      await this.start();
      callback();
    } catch (error) {
      callback(error);
    }
  }

  /**
   * Takes nothing more, returns what has not begun so that another instance gets it at once, and waits for what has.
   * @param timeoutMs after it, running handlers are aborted and their deliveries returned too
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
    // A start that failed half-way is tried again from its beginning.
    this.workers.length = 0;
    this.responders.length = 0;
    await this.messaging.reconcile();
    const { connection } = this.messaging;
    const commandHandlers = new Map<string, CommandHandler>();
    for (const [pattern, handler] of this.messageHandlers) {
      const binding = bindingOf(handler);
      const handle = (input: unknown, ctx: unknown): Promise<unknown> => call(handler, input, ctx);
      if (binding?.kind === 'consumer') await this.consume(binding, handle);
      else if (binding?.kind === 'request')
        this.responders.push(new Responder(connection, binding.request, handle, binding.concurrency));
      else if (binding?.kind === 'command') commandHandlers.set(pattern, { spec: binding.command, handle });
      else throw new Error(`The handler of "${pattern}" serves nothing: use @Consumes, @Answers or @CarriesOut.`);
    }
    if (commandHandlers.size > 0) await this.serve(commandDefinition(connection, commandHandlers));
    for (const responder of this.responders) responder.start();
    for (const worker of this.workers) worker.start();
    await connection.nats.flush();
  }

  private async consume(
    { consumer, options }: HandlerBinding & { kind: 'consumer' },
    handle: ConsumerDefinition['handle'],
  ): Promise<void> {
    const spec = this.fromConfig(consumer);
    const parse: ConsumerDefinition['parse'] = (delivery) => spec.schema.parse(delivery.msg.json());
    await this.serve({ spec, kind: 'event', options: this.fromConfig(options), parse, handle });
  }

  private fromConfig<V extends object>(value: FromConfig<V, never>): V {
    return typeof value === 'function' ? value(this.config as never) : value;
  }

  private async serve(definition: ConsumerDefinition): Promise<void> {
    await this.messaging.topology.keep(definition.spec);
    this.workers.push(new Worker(this.messaging.connection, this.messaging.deadLetters, definition, this.slot));
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

async function call(handler: MessageHandler, data: unknown, ctx: unknown): Promise<unknown> {
  const result: unknown = await handler(data, ctx);
  return isObservable(result) ? lastValueFrom(result, { defaultValue: undefined }) : result;
}
