import { JetStreamApiError } from '@nats-io/jetstream';
import type { Msg, Subscription } from '@nats-io/transport-node';
import { systemClock, TocsinError, within } from '@tocsin/core';
import { SpanKind } from '@opentelemetry/api';
import type { Connection } from './connection.ts';
import { type CommandSpec, COMMANDS_STREAM, commandPattern, inboxPrefix } from '../contract.ts';
import { proofOf } from '../wire/command-proof.ts';
import { HEADER } from '../wire/names.ts';
import { payloadOf, type Publisher } from './publisher.ts';
import { producing } from '../wire/tracing.ts';
import { fromWire, invalid } from '../wire/wire-error.ts';

const SUBJECT_TOKEN = /^[^\s.*>]{1,200}$/;
const NOT_FOUND = 404;

/** How a command is sent. */
export interface CommandOptions {
  /** The caller's idempotency key; the same operation has the same one however often it is sent. */
  operationId: string;
  /** Fingerprint of the request as the caller received it, by which the owner notices a reused key. */
  requestHash: string;
  /** Who sends it, with which token and role, and by which route. The owner records them. */
  actor?: string | undefined;
  tokenId?: string | undefined;
  role?: string | undefined;
  route?: string | undefined;
  /** Until when to wait for the answer, ms since the epoch. */
  deadline: number;
}

/** The outcome of a command within its caller's deadline. */
export type CommandOutcome<O> = { status: 'done'; result: O } | { status: 'accepted' };

/** Where the answer to a command is published. A caller that sends the same command again listens there too. */
function replySubject(prefix: string, messageId: string): string {
  return `${prefix}.reply.${messageId}`;
}

/** Sends commands and waits for their answers. */
export class Commander {
  constructor(
    private readonly connection: Connection,
    private readonly publisher: Publisher,
  ) {}

  /** As `Messaging.command`. */
  async command<I, O>(spec: CommandSpec<I, O>, input: I, o: CommandOptions): Promise<CommandOutcome<O>> {
    const { operationId } = o;
    if (!SUBJECT_TOKEN.test(operationId))
      throw invalid('The operation id', new Error('up to 200 characters, no space, ".", "*" or ">"'));
    const pattern = commandPattern(spec);
    // The stream drops the same request sent again. Another request under the same key reaches the owner, which refuses it.
    const id = `${operationId}.${o.requestHash.replace(/[^\w-]/g, '').slice(0, 32)}`;
    const reply = replySubject(inboxPrefix(this.connection.options), id);
    const answer = this.listen(reply);
    try {
      const published = await producing(`command ${pattern}`, pattern, SpanKind.PRODUCER, (headers) => {
        const now = systemClock.now();
        const [subject, payload] = [`${pattern}.${operationId}`, payloadOf(input)];
        const told = { ...headersOf(o), [HEADER.reply]: reply };
        const [key] = this.connection.options.commandKeys?.sign ?? [];
        const proof = key ? proofOf({ subject, headers: told, payload }, key, now) : {};
        const timeoutMs = Math.max(1, o.deadline - now);
        return this.publisher.publish(subject, payload, { id, timeoutMs }, headers.setAll(told).setAll(proof));
      });
      // The owner carried it out before, and its answer is gone. The caller can look the operation up.
      if (published.duplicate && !answer.msg && !(await this.mayBePending(operationId, o.deadline)))
        return { status: 'accepted' };
      const msg = await answer.within(o.deadline - systemClock.now());
      return msg ? { status: 'done', result: readReply(spec, msg) } : { status: 'accepted' };
    } finally {
      answer.stop();
    }
  }

  /** As `Messaging.commandPending`. */
  async pending(operationId: string, deadline: number): Promise<boolean> {
    const asking = this.connection.jsm.streams.getMessage(COMMANDS_STREAM, {
      last_by_subj: `commands.*.*.${operationId}`,
    });
    try {
      return (await byDeadline(asking, deadline)) !== null;
    } catch (error) {
      if (error instanceof JetStreamApiError && error.status === NOT_FOUND) return false;
      const reason = error instanceof Error ? error.message : String(error);
      throw new TocsinError('unavailable', `The broker can't say what waits at the moment (${reason}). Try again.`, {
        cause: error,
      });
    }
  }

  /** An accepted command stays accepted, even if the broker cannot say now whether it still waits. */
  private async mayBePending(operationId: string, deadline: number): Promise<boolean> {
    return this.pending(operationId, deadline).catch(() => true);
  }

  private listen(subject: string): ReplyListener {
    const listener = new ReplyListener();
    listener.subscription = this.connection.nats.subscribe(subject, {
      callback: (error, msg) => {
        if (!error) listener.arrive(msg);
      },
    });
    return listener;
  }
}

/** The headers that the owner receives with the input. */
function headersOf(o: CommandOptions): Record<string, string> {
  return {
    [HEADER.operation]: o.operationId,
    [HEADER.requestHash]: o.requestHash,
    [HEADER.deadline]: String(Math.floor(o.deadline)),
    ...(o.actor === undefined ? {} : { [HEADER.actor]: o.actor }),
    ...(o.tokenId === undefined ? {} : { [HEADER.token]: o.tokenId }),
    ...(o.role === undefined ? {} : { [HEADER.role]: o.role }),
    ...(o.route === undefined ? {} : { [HEADER.route]: o.route }),
  };
}

/** Without a leader the broker does not answer, and its client would wait longer than the caller does. */
function byDeadline<T>(asking: Promise<T>, deadline: number): Promise<T> {
  return within(asking, Math.max(0, deadline - systemClock.now()), () => {
    throw new Error('no answer in time');
  });
}

/** Waits for the one answer to an operation. */
class ReplyListener {
  msg: Msg | undefined;
  subscription: Subscription | undefined;
  private wake: (() => void) | undefined;

  arrive(msg: Msg): void {
    this.msg ??= msg;
    this.wake?.();
  }

  async within(ms: number): Promise<Msg | undefined> {
    if (this.msg || ms <= 0) return this.msg;
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.wake = resolve;
      timer = setTimeout(resolve, ms);
    });
    clearTimeout(timer);
    return this.msg;
  }

  stop(): void {
    this.subscription?.unsubscribe();
  }
}

function readReply<I, O>(spec: CommandSpec<I, O>, msg: Msg): O {
  const body = msg.json();
  if (msg.headers?.get(HEADER.error)) throw fromWire(body);
  return spec.output.parse(body);
}
