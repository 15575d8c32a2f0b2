import { randomUUID } from 'node:crypto';
import { sleep, systemClock, TocsinError } from '@tocsin/core';
import type { Msg } from '@nats-io/transport-node';
import { SpanKind } from '@opentelemetry/api';
import type { Connection } from './connection.ts';
import { broadcastSubject, type RequestSpec } from '../contract.ts';
import { effectiveDeadline } from './effective-deadline.ts';
import type { OutgoingHeaders } from '../wire/headers.ts';
import { newInbox } from '../wire/inbox.ts';
import { HEADER } from '../wire/names.ts';
import { producing } from '../wire/tracing.ts';
import { fromWire, invalid } from '../wire/wire-error.ts';

/**
 * Each attempt gets this share of the time that remains. It is small, because the broker may pick a frozen instance again: it
 * stays in the queue group. That is harmless, because an instance that works on the request ignores the repetition.
 */
const ATTEMPT_SHARE = 0.15;
const MIN_ATTEMPT_MS = 100;
/** The limit for long deadlines too: a frozen instance must not cost a caller seconds. */
const MAX_ATTEMPT_MS = 300;
const RETRY_MS = 50;
/** How long there may be no responders, as between two instances of a service. Less than an impatient client waits. */
const NO_RESPONDERS_MS = 800;
const MAX_REFUSALS = 5;
const MAX_GATHERED = 1_000;

/** Sends requests to other services over core NATS, with one inbox for all answers. */
export class Requester {
  private readonly inbox: string;
  private readonly waiting = new Map<string, (msg: Msg) => void>();

  constructor(private readonly connection: Connection) {
    this.inbox = newInbox(connection.options);
    connection.nats.subscribe(`${this.inbox}.*`, {
      callback: (error, msg) => {
        if (!error) this.waiting.get(msg.subject.slice(this.inbox.length + 1))?.(msg);
      },
    });
  }

  /** As `Messaging.request`. */
  async request<I, O>(spec: RequestSpec<I, O>, input: I, o: { deadline?: number | undefined } = {}): Promise<O> {
    const deadline = effectiveDeadline(spec.timeoutMs, o.deadline);
    return producing(`request ${spec.subject}`, spec.subject, SpanKind.CLIENT, (headers) => {
      headers.set(HEADER.deadline, String(Math.floor(deadline)));
      return this.sendUntilAnswered(spec, JSON.stringify(input ?? null), { deadline, headers });
    });
  }

  /** As `Messaging.gather`. */
  async gather<I, O>(spec: RequestSpec<I, O>, input: I, o: { windowMs: number }): Promise<O[]> {
    const answers: O[] = [];
    const deadline = effectiveDeadline(o.windowMs);
    const token = randomUUID();
    await producing(`gather ${spec.subject}`, spec.subject, SpanKind.CLIENT, async (headers) => {
      headers.set(HEADER.deadline, String(Math.floor(deadline)));
      this.waiting.set(token, (msg) => {
        if (isNoResponders(msg) || msg.headers?.get(HEADER.error) || answers.length >= MAX_GATHERED) return;
        try {
          answers.push(spec.output.parse(msg.json()));
        } catch {
          // An instance of another version that answers differently is left out rather than failing the rest.
        }
      });
      try {
        this.send(broadcastSubject(spec.subject), JSON.stringify(input ?? null), token, headers);
        await sleep(Math.max(0, deadline - systemClock.now()));
      } finally {
        this.waiting.delete(token);
      }
    });
    return answers;
  }

  private async sendUntilAnswered<I, O>(
    spec: RequestSpec<I, O>,
    body: string,
    o: { deadline: number; headers: OutgoingHeaders },
  ): Promise<O> {
    // All attempts share one reply address, so a slow instance's answer still counts after the next attempt. The address is
    // random, because an answer tells who somebody is and what they may do: no earlier responder may know where it goes.
    const token = randomUUID();
    const answers = new ReplyQueue();
    this.waiting.set(token, (msg) => answers.push(msg));
    try {
      let noRespondersSince: number | undefined;
      for (let refusals = 0; ;) {
        const left = o.deadline - systemClock.now();
        if (left <= 0) throw unanswered('deadline', `No answer to ${spec.subject} in time. Try again.`);
        this.send(spec.subject, body, token, o.headers);
        const msg = await answers.within(
          Math.min(left, MAX_ATTEMPT_MS, Math.max(MIN_ATTEMPT_MS, left * ATTEMPT_SHARE)),
        );
        const now = systemClock.now();
        // Silence means a slow instance, and a refusal a busy one: in both cases there is a responder.
        if (msg && isNoResponders(msg)) noRespondersSince ??= now;
        else noRespondersSince = undefined;
        if (!msg) continue;
        if (noRespondersSince === undefined) {
          const refusal = refusalOf(msg);
          if (!refusal) return readAnswer(spec, msg);
          if (refusal.code !== 'unavailable' || !refusal.retry || ++refusals >= MAX_REFUSALS) throw refusal;
        } else if (now - noRespondersSince > NO_RESPONDERS_MS || now > o.deadline - RETRY_MS) {
          throw unanswered('unavailable', `No instance answers ${spec.subject} at the moment. Try again later.`);
        }
        await sleep(RETRY_MS);
      }
    } finally {
      this.waiting.delete(token);
    }
  }

  private send(subject: string, body: string, token: string, headers: OutgoingHeaders): void {
    try {
      this.connection.nats.publish(subject, body, { reply: `${this.inbox}.${token}`, headers: headers.asNats() });
    } catch (cause) {
      throw new TocsinError('unavailable', 'The connection to the broker is closed; the process is stopping.', {
        cause,
      });
    }
  }
}

/** The replies to one request, in the order in which they arrived. */
class ReplyQueue {
  private readonly arrived: Msg[] = [];
  private wake: (() => void) | undefined;

  push(msg: Msg): void {
    this.arrived.push(msg);
    this.wake?.();
  }

  /** The next answer, or `undefined` if none comes within `ms`. */
  async within(ms: number): Promise<Msg | undefined> {
    if (this.arrived.length === 0) {
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve) => {
        this.wake = resolve;
        timer = setTimeout(resolve, ms);
      });
      clearTimeout(timer);
      this.wake = undefined;
    }
    return this.arrived.shift();
  }
}

/** An error that callers can tell from a refusal: no instance answered. */
function unanswered(code: 'deadline' | 'unavailable', message: string): TocsinError {
  return new TocsinError(code, message, { details: { unanswered: true } });
}

/** The broker's own answer when no instance listens. */
function isNoResponders(msg: Msg): boolean {
  return msg.data.length === 0 && msg.headers?.code === 503;
}

function refusalOf(msg: Msg): TocsinError | undefined {
  if (!msg.headers?.get(HEADER.error)) return undefined;
  try {
    return fromWire(msg.json());
  } catch {
    return fromWire(undefined);
  }
}

function readAnswer<I, O>(spec: RequestSpec<I, O>, msg: Msg): O {
  try {
    return spec.output.parse(msg.json());
  } catch (cause) {
    throw new TocsinError(
      'internal',
      `The answer to ${spec.subject} does not fit its contract: ${invalid('it', cause).message}`,
      { cause },
    );
  }
}
