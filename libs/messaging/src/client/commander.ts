import { JetStreamApiError } from '@nats-io/jetstream';
import type { Msg, Subscription } from '@nats-io/transport-node';
import { systemClock, TocsinError } from '@tocsin/core';
import { SpanKind } from '@opentelemetry/api';
import type { Connection } from './connection.ts';
import { type CommandSpec, COMMANDS_STREAM, commandPattern, inboxPrefix } from '../contract.ts';
import { proofOf } from '../wire/command-proof.ts';
import { HEADER } from '../wire/names.ts';
import { payloadOf, type Publisher } from './publisher.ts';
import { producing } from '../wire/tracing.ts';
import { fromWire, invalid } from '../wire/wire-error.ts';

const TOKEN = /^[^\s.*>]{1,200}$/;
const NOT_FOUND = 404;

/** How a command is sent. */
export interface CommandOptions {
  /** The caller's idempotency key; the same operation has the same one however often it is sent. */
  operationId: string;
  /** Fingerprint of the request as the caller received it, by which the owner notices a reused key. */
  requestHash: string;
  /** Who asks for it, in words; by which token, as what; and how it was asked for. Its owner writes them down. */
  actor?: string | undefined;
  tokenId?: string | undefined;
  role?: string | undefined;
  route?: string | undefined;
  /** How long to wait for the answer, ms since the epoch. */
  deadline: number;
}

/** What a command came to within its caller's deadline. */
export type CommandEnd<O> = { status: 'done'; result: O } | { status: 'accepted' };

/** Where the answer to a command is published; anyone who sends the same command again listens there too. */
export function replySubject(prefix: string, messageId: string): string {
  return `${prefix}.reply.${messageId}`;
}

/** Sends commands and waits for their answers. */
export class Commander {
  constructor(
    private readonly connection: Connection,
    private readonly publisher: Publisher,
  ) {}

  /** As `Messaging.command`. */
  async command<I, O>(spec: CommandSpec<I, O>, input: I, o: CommandOptions): Promise<CommandEnd<O>> {
    const { operationId } = o;
    if (!TOKEN.test(operationId))
      throw invalid('The operation id', new Error('up to 200 characters, no space, ".", "*" or ">"'));
    const pattern = commandPattern(spec);
    // The same request sent again is dropped by the stream; another request under the same key reaches the owner, who refuses it.
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
      // Carried out before this was asked again: its answer went out then, and the operation can be looked up.
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
      return (await inTime(asking, deadline)) !== null;
    } catch (error) {
      if (error instanceof JetStreamApiError && error.status === NOT_FOUND) return false;
      const reason = error instanceof Error ? error.message : String(error);
      throw new TocsinError('unavailable', `The broker can't say what waits at the moment (${reason}). Try again.`, {
        cause: error,
      });
    }
  }

  /** What was accepted stays accepted, whether or not the broker can say just now that it still waits. */
  private async mayBePending(operationId: string, deadline: number): Promise<boolean> {
    return this.pending(operationId, deadline).catch(() => true);
  }

  private listen(subject: string): Listening {
    const listening = new Listening();
    listening.subscription = this.connection.nats.subscribe(subject, {
      callback: (error, msg) => {
        if (!error) listening.arrive(msg);
      },
    });
    return listening;
  }
}

/** What its owner is told beside the input. */
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

/** Without a leader the broker answers nothing, and its client waits for longer than who asked. */
async function inTime<T>(asking: Promise<T>, deadline: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(reject, Math.max(0, deadline - systemClock.now()), new Error('no answer in time'));
  });
  try {
    return await Promise.race([asking, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Waits for the one answer to an operation. */
class Listening {
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
