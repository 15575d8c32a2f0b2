import { Inject, Injectable } from '@nestjs/common';
import { LastGood } from '@tocsin/cache';
import { type Aged, operationRequests } from '@tocsin/contracts';
import { acceptedAs, type Answer, type Call } from '@tocsin/edge';
import { type Clock, type RecordedRefusal, refusalError, systemClock, TocsinError } from '@tocsin/core';
import { type CommandSpec, Messaging, type RequestSpec } from '@tocsin/messaging';
import { CLOCK, CONFIG } from '@tocsin/service';
import type { GatewayConfig } from '../gateway.config.ts';
import { operationId, operationName } from './operation-id.ts';
import { ServiceBulkheads } from './service-bulkheads.ts';

const records: Record<string, typeof operationRequests.monitors> = operationRequests;

/** Questions to one owner may be this part of all requests at a time: one that is frozen leaves room for the others. */
const OWNERS_SHARE = 0.75;
/** How old an answer may be that is given while its owner is away: longer than any failover. */
const STALE_MS = 15 * 60_000;

/** The services that own what the API shows and changes, asked on behalf of a call. */
@Injectable()
export class ServiceClient {
  private readonly bulkheads: ServiceBulkheads;
  private readonly lastGood: LastGood;

  constructor(
    private readonly messaging: Messaging,
    @Inject(CONFIG) private readonly config: GatewayConfig,
    @Inject(CLOCK) clock: Clock,
  ) {
    this.lastGood = new LastGood(clock, STALE_MS);
    this.bulkheads = new ServiceBulkheads(Math.max(1, Math.floor(config.maxRequests * OWNERS_SHARE)));
  }

  /**
   * The owner's answer; while it can't give one, the last that it gave to the same question, marked stale, where its
   * answers say how old they are.
   * @throws TocsinError as the owner refused it; `deadline` or `unavailable` if nobody answered in time
   */
  async read<I, O>(spec: RequestSpec<I, O>, input: NoInfer<I>, call: Call): Promise<O> {
    // As the caller put it: a range up to now is the same question a moment later.
    const question = JSON.stringify([call.route.path, spec.subject, call.params, call.query]);
    try {
      const answer = await this.readNow(spec, input, call.deadline);
      if (isAged(answer)) this.lastGood.remember(question, { value: answer, ageMs: answer.ageMs });
      return answer;
    } catch (error) {
      // Who asks for too much is told so.
      if (error instanceof TocsinError && error.details?.['busy'] === true) throw error;
      const { value, ageMs, stale } = this.lastGood.inPlaceOf<O>(question, error);
      return { ...value, ageMs, stale };
    }
  }

  /**
   * The owner's answer of now, never one from memory, which keeps nothing of it: for a part of a whole, for what is large,
   * and for what an answer can do without.
   * @param deadline when nobody waits for it any more, ms since the epoch
   * @throws TocsinError as the owner refused it; `deadline` or `unavailable` if nobody answered in time
   */
  readNow<I, O>(spec: RequestSpec<I, O>, input: NoInfer<I>, deadline: number): Promise<O> {
    const owner = spec.subject.split('.', 1)[0]!;
    return this.bulkheads.ask(owner, deadline, () => this.messaging.request(spec, input, { deadline }));
  }

  /**
   * Has a change carried out, once for an Idempotency-Key, and shows its result; answers 202 with the operation's address
   * when its owner takes longer than the caller waits.
   * @throws TocsinError as the owner refused it; `unavailable` if the broker did not take it (nothing happened)
   */
  async command<I, O>(
    spec: CommandSpec<I, O>,
    input: NoInfer<I>,
    call: Call,
    show: (result: O) => Answer,
  ): Promise<Answer> {
    const id = this.operationOf(spec.service, call);
    const { requestHash } = call.operation;
    const { caller, route } = call;
    try {
      const end = await this.messaging.command(spec, input, {
        operationId: id,
        requestHash,
        deadline: call.deadline,
        ...(caller ? { actor: caller.name, tokenId: caller.tokenId, role: caller.role } : {}),
        route: `${route.method} ${route.path}`,
      });
      if (end.status === 'done') return show(end.result);
    } catch (error) {
      throw atTheEdge(error);
    }
    const result = await this.recorded(spec, id, call);
    return result === undefined ? acceptedAs(operationName(id, call.operation)) : show(result.value);
  }

  /**
   * A change that was carried out before this request (its key was used before) has a recorded result. The previous version
   * does not say for which request: then the caller is told where to ask, and nothing of the result.
   * @throws TocsinError as the owner refused it; `key_reused` if the result is another request's
   */
  private async recorded<I, O>(
    spec: CommandSpec<I, O>,
    id: string,
    { deadline, operation: { requestHash } }: Call,
  ): Promise<{ value: O } | undefined> {
    const record = records[spec.service];
    if (!record || systemClock.now() >= deadline) return undefined;
    const found = await this.messaging.request(record, { operationId: id }, { deadline }).catch(() => undefined);
    if (found?.requestHash === undefined) return undefined;
    if (found.requestHash !== requestHash) throw keyReused();
    if (found.status === 'failed') throw atTheEdge(errorOf(found.error));
    return found.status === 'done' ? { value: spec.output.parse(found.result) } : undefined;
  }

  /** A key belongs to the token it came with and to the service that the change is for. */
  private operationOf(service: string, { caller, operation: { key } }: Call): string {
    return operationId(
      this.config.requestKeys,
      caller?.tokenId ?? '',
      key === undefined ? undefined : `${service}:${key}`,
    );
  }
}

function isAged(answer: unknown): answer is Aged {
  return typeof answer === 'object' && answer !== null && 'ageMs' in answer && 'stale' in answer;
}

/** The refusal of a request whose key another one has used. */
export function keyReused(): TocsinError {
  return new TocsinError('key_reused', 'This Idempotency-Key was used for another request; use a new one.');
}

/** The recorded refusal of an operation, as the error that it was. */
export function errorOf(recorded: RecordedRefusal | undefined): TocsinError {
  return refusalError(recorded ?? { code: 'internal', message: 'It failed.' });
}

/** Paths of fields as the caller knows them: commands carry the body under a name. */
function atTheEdge(error: unknown): unknown {
  if (!(error instanceof TocsinError) || !error.fields) return error;
  const fields = error.fields.map(({ path, message }) => ({
    path: path.replace(/^\/(spec|patch)(?=\/|$)/, ''),
    message,
  }));
  return new TocsinError(error.code, error.message, { retry: error.retry, fields, cause: error });
}
