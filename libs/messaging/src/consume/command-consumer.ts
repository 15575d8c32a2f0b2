import { Logger } from '@nestjs/common';
import { systemClock, TocsinError, withDeadline } from '@tocsin/core';
import type { Connection } from '../client/connection.ts';
import type { CommandSpec, ConsumerSpec } from '../contract.ts';
import type { ReceivedDelivery } from './delivery.ts';
import { OutgoingHeaders } from '../wire/headers.ts';
import { type CommandKeys, proofProblem } from '../wire/command-proof.ts';
import { HEADER } from '../wire/names.ts';
import { type Settlement, UnprovenCommand } from './settlement.ts';
import { commandConsumerSpec } from '../topology/topology.ts';
import { toWire } from '../wire/wire-error.ts';
import type { ConsumerDefinition } from './consumer-definition.ts';

const CONCURRENCY = 32;
const INBOXES = '_INBOX.';

/** What a command handler receives with its input. */
export interface CommandContext {
  readonly kind: 'command';
  /** The caller's idempotency key, the same at every delivery of one operation. */
  readonly operationId: string;
  /** Fingerprint of the input. Another one under the same operation id means a reused key. */
  readonly requestHash: string;
  /** Who sent it. */
  readonly actor?: string | undefined;
  /** The token that it was sent with. */
  readonly tokenId?: string | undefined;
  /** The role of that token. */
  readonly role?: string | undefined;
  /** The route that it came by, such as `PATCH /v1/monitors/{id}`. */
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

/** Defines a service's one command consumer: it finds the handler by subject and answers the caller. */
export function commandDefinition(
  connection: Connection,
  handlers: ReadonlyMap<string, CommandHandler>,
): ConsumerDefinition {
  const find = (delivery: ReceivedDelivery): CommandHandler => {
    const handler = handlers.get(patternOf(delivery.subject));
    if (!handler) throw new TocsinError('not_found', `No handler carries out ${patternOf(delivery.subject)}.`);
    return handler;
  };
  const keys = connection.options.commandKeys ?? {};
  if (!keys.trust?.length || keys.unsigned === 'accept') warnOfUnsigned(connection.options.service);
  const spec: ConsumerSpec = {
    ...commandConsumerSpec(connection.options.service),
    schema: { parse: (input) => input },
  };
  return {
    spec,
    kind: 'command',
    options: { concurrency: CONCURRENCY },
    parse: (delivery) => {
      prove(delivery, keys);
      return find(delivery).spec.input.parse(delivery.msg.json());
    },
    handle: (data, delivery) => {
      const ctx = contextOf(delivery);
      // A late command is still carried out, so its own requests get their own deadlines.
      const run = (): Promise<unknown> => find(delivery).handle(data, ctx);
      return systemClock.now() < ctx.deadline ? withDeadline(ctx.deadline, run) : run();
    },
    onSettled: (delivery, settlement, outcome) => {
      if (settlement.act === 'nak') return;
      if (outcome.ok) answer(connection, delivery, undefined, outcome.result);
      else answer(connection, delivery, refusalOf(settlement, outcome.error));
    },
  };
}

function refusalOf(settlement: Settlement & { act: 'ack' | 'dead' }, error: unknown): unknown {
  if (settlement.reason === 'unparsable') return unreadable(settlement.message);
  return settlement.reason === 'unproven' ? unproven() : error;
}

/** @throws UnprovenCommand unless a trusted key has signed it, in time */
function prove({ subject, headers, msg }: ReceivedDelivery, keys: CommandKeys): void {
  const problem = proofProblem({ subject, headers, payload: msg.data }, keys, systemClock.now());
  if (problem !== undefined)
    throw new UnprovenCommand(`The command does not prove that a gateway sent it: ${problem}.`);
}

function warnOfUnsigned(service: string): void {
  new Logger('Messaging').warn(
    `${service} carries out commands that nobody signed: give it TOCSIN_COMMAND_PUBLIC_KEY, and the gateway TOCSIN_COMMAND_KEY (docs/operations.md)`,
  );
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
    ...(headers[HEADER.role] ? { role: headers[HEADER.role] } : {}),
    ...(headers[HEADER.route] ? { route: headers[HEADER.route] } : {}),
    deadline: Number(headers[HEADER.deadline]) || 0,
    subject: delivery.subject,
    deliveries: delivery.deliveries,
    get signal() {
      return delivery.signal;
    },
  };
}

function answer(connection: Connection, delivery: ReceivedDelivery, error: unknown, result?: unknown): void {
  const to = delivery.headers[HEADER.reply];
  // An answer goes to an inbox alone: its sender could not publish to the other subjects that this service may publish to.
  if (!to?.startsWith(INBOXES) || connection.nats.isClosed()) return;
  const headers = new OutgoingHeaders();
  if (error === undefined) return connection.nats.publish(to, JSON.stringify(result ?? null));
  const wire = toWire(error);
  connection.nats.publish(to, JSON.stringify(wire), { headers: headers.set(HEADER.error, wire.code).asNats() });
}

function unproven(): TocsinError {
  return new TocsinError('forbidden', 'The command does not prove that a gateway sent it, so it is not carried out.');
}

function unreadable(message: string): TocsinError {
  return new TocsinError('invalid', `The command is not valid: ${message.slice(0, 500)}`);
}

/** `commands.<service>.<name>`, without the operation that follows. */
function patternOf(subject: string): string {
  return subject.split('.', 3).join('.');
}
