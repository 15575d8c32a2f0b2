import { systemClock, TocsinError, withDeadline } from '@tocsin/core';
import type { Connection } from './connection.ts';
import type { CommandSpec, ConsumerSpec } from './contract.ts';
import type { ReceivedDelivery } from './delivery.ts';
import { OutgoingHeaders } from './headers.ts';
import { HEADER } from './names.ts';
import { commandConsumer } from './topology.ts';
import { toWire } from './wire-error.ts';
import type { Work } from './work.ts';

const CONCURRENCY = 32;

/** What a command handler is told beside its input. */
export interface CommandContext {
  readonly kind: 'command';
  /** The caller's idempotency key: the same operation has the same one, however often it is delivered. */
  readonly operationId: string;
  /** Fingerprint of the input: another one under the same operation id is a reused key. */
  readonly requestHash: string;
  /** Who asked for it. */
  readonly actor?: string | undefined;
  /** The token that it was asked for with. */
  readonly tokenId?: string | undefined;
  /** How it was asked for, such as `PATCH /v1/monitors/{id}`. */
  readonly route?: string | undefined;
  /** When the caller stops waiting, ms since the epoch. The command is carried out all the same. */
  readonly deadline: number;
  readonly subject: string;
  readonly deliveries: number;
  readonly signal: AbortSignal;
}

/** One command and the handler that carries it out. */
export interface CommandHandler {
  spec: CommandSpec;
  handle(input: unknown, ctx: CommandContext): Promise<unknown>;
}

/** The work of a service's one command consumer: finds the handler by subject and answers the caller. */
export function commandWork(connection: Connection, handlers: ReadonlyMap<string, CommandHandler>): Work {
  const find = (delivery: ReceivedDelivery): CommandHandler => {
    const handler = handlers.get(patternOf(delivery.subject));
    if (!handler) throw new TocsinError('not_found', `No handler carries out ${patternOf(delivery.subject)}.`);
    return handler;
  };
  const spec: ConsumerSpec = { ...commandConsumer(connection.options.service), schema: { parse: (input) => input } };
  return {
    spec,
    kind: 'command',
    options: { concurrency: CONCURRENCY },
    parse: (delivery) => find(delivery).spec.input.parse(delivery.msg.json()),
    handle: (data, delivery) => {
      const ctx = contextOf(delivery);
      // A late command is still carried out, so its own questions get time of their own.
      const run = (): Promise<unknown> => find(delivery).handle(data, ctx);
      return systemClock.now() < ctx.deadline ? withDeadline(ctx.deadline, run) : run();
    },
    ended: (delivery, verdict, ending) => {
      if (verdict.act === 'nak') return;
      const refusal = ending.ok
        ? undefined
        : verdict.reason === 'unparsable'
          ? unreadable(verdict.message)
          : ending.error;
      answer(connection, delivery, refusal, ending.result);
    },
  };
}

function contextOf(delivery: ReceivedDelivery): CommandContext {
  const { headers } = delivery;
  const pattern = patternOf(delivery.subject);
  return {
    kind: 'command',
    operationId: headers[HEADER.operation] || delivery.subject.slice(pattern.length + 1),
    requestHash: headers[HEADER.requestHash] || '',
    ...(headers[HEADER.actor] ? { actor: headers[HEADER.actor] } : {}),
    ...(headers[HEADER.token] ? { tokenId: headers[HEADER.token] } : {}),
    ...(headers[HEADER.route] ? { route: headers[HEADER.route] } : {}),
    deadline: Number(headers[HEADER.deadline]) || 0,
    subject: delivery.subject,
    deliveries: delivery.deliveries,
    get signal() {
      return delivery.signal;
    },
  };
}

function answer(connection: Connection, delivery: ReceivedDelivery, error: unknown, result: unknown): void {
  const to = delivery.headers[HEADER.reply];
  if (!to || connection.nats.isClosed()) return;
  const headers = new OutgoingHeaders();
  if (error === undefined) return connection.nats.publish(to, JSON.stringify(result ?? null));
  const wire = toWire(error);
  connection.nats.publish(to, JSON.stringify(wire), { headers: headers.set(HEADER.error, wire.code).asNats() });
}

function unreadable(message: string): TocsinError {
  return new TocsinError('invalid', `The command is not valid: ${message.slice(0, 500)}`);
}

/** `commands.<service>.<name>`, whatever operation follows. */
function patternOf(subject: string): string {
  return subject.split('.', 3).join('.');
}
