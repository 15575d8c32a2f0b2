import { randomUUID } from 'node:crypto';
import { systemClock, TocsinError } from '@tocsin/core';
import type { Msg } from '@nats-io/transport-node';
import { SpanKind } from '@opentelemetry/api';
import type { Connection } from './connection.ts';
import { broadcastSubject, type RequestSpec } from '../contract.ts';
import { shrink } from './deadline.ts';
import type { OutgoingHeaders } from '../wire/headers.ts';
import { newInbox } from '../wire/inbox.ts';
import { HEADER } from '../wire/names.ts';
import { producing } from '../wire/tracing.ts';
import { fromWire, invalid } from '../wire/wire-error.ts';

/**
 * Each attempt gets this share of the time that remains. Small, because a frozen instance stays in the queue group and is
 * picked again by chance; harmless, because an instance that has the question in work ignores the repetition.
 */
const SLICE = 0.15;
const MIN_SLICE_MS = 100;
/** However long the question may take: a frozen instance must not cost a caller seconds. */
const MAX_SLICE_MS = 300;
const RETRY_MS = 50;
/** How long nobody may listen, as between two instances of a service. Less than an impatient client waits. */
const NOBODY_MS = 800;
const MAX_REFUSALS = 5;
const MAX_GATHERED = 1_000;

/** Asks questions of other services over core NATS, one inbox for all. */
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
    const deadline = shrink(spec.timeoutMs, o.deadline);
    return producing(`request ${spec.subject}`, spec.subject, SpanKind.CLIENT, (headers) => {
      headers.set(HEADER.deadline, String(Math.floor(deadline)));
      return this.ask(spec, JSON.stringify(input ?? null), { deadline, headers });
    });
  }

  /** As `Messaging.gather`. */
  async gather<I, O>(spec: RequestSpec<I, O>, input: I, o: { windowMs: number }): Promise<O[]> {
    const answers: O[] = [];
    const deadline = shrink(o.windowMs);
    const token = randomUUID();
    await producing(`gather ${spec.subject}`, spec.subject, SpanKind.CLIENT, async (headers) => {
      headers.set(HEADER.deadline, String(Math.floor(deadline)));
      this.waiting.set(token, (msg) => {
        if (isNobody(msg) || msg.headers?.get(HEADER.error) || answers.length >= MAX_GATHERED) return;
        try {
          answers.push(spec.output.parse(msg.json()));
        } catch {
          // An instance of another version that answers differently is left out rather than failing the rest.
        }
      });
      try {
        this.send(broadcastSubject(spec.subject), JSON.stringify(input ?? null), token, headers);
        await new Promise((resolve) => setTimeout(resolve, Math.max(0, deadline - systemClock.now())));
      } finally {
        this.waiting.delete(token);
      }
    });
    return answers;
  }

  private async ask<I, O>(
    spec: RequestSpec<I, O>,
    body: string,
    o: { deadline: number; headers: OutgoingHeaders },
  ): Promise<O> {
    // All attempts share one address, so the answer of a slow instance still counts after another was asked. Whoever was asked
    // before must not know it: an answer tells who somebody is and what he may do.
    const token = randomUUID();
    const answers = new Answers();
    this.waiting.set(token, (msg) => answers.push(msg));
    try {
      let nobodySince: number | undefined;
      for (let refusals = 0; ;) {
        const left = o.deadline - systemClock.now();
        if (left <= 0) throw unanswered('deadline', `No answer to ${spec.subject} in time. Try again.`);
        this.send(spec.subject, body, token, o.headers);
        const msg = await answers.within(Math.min(left, MAX_SLICE_MS, Math.max(MIN_SLICE_MS, left * SLICE)));
        const now = systemClock.now();
        // Silence comes from an instance that is slow, and a refusal from one that is busy: somebody listens.
        if (msg && isNobody(msg)) nobodySince ??= now;
        else nobodySince = undefined;
        if (!msg) continue;
        if (nobodySince === undefined) {
          const refusal = refusalOf(msg);
          if (!refusal) return readAnswer(spec, msg);
          if (refusal.code !== 'unavailable' || !refusal.retry || ++refusals >= MAX_REFUSALS) throw refusal;
        } else if (now - nobodySince > NOBODY_MS || now > o.deadline - RETRY_MS) {
          throw unanswered('unavailable', `No instance answers ${spec.subject} at the moment. Try again later.`);
        }
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
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

/** The answers to one question, in the order in which they came. */
class Answers {
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

/** Tells what nobody answered from what somebody refused. */
function unanswered(code: 'deadline' | 'unavailable', message: string): TocsinError {
  return new TocsinError(code, message, { details: { unanswered: true } });
}

/** The broker's own answer when nobody listens. */
function isNobody(msg: Msg): boolean {
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
