import { contract, type IfRevision, type Monitor, type Role } from '@tocsin/contracts';
import { idFrom, newId, TocsinError } from '@tocsin/core';
import {
  type CommandContext,
  type CommandSpec,
  type ConsumerSpec,
  type HandlerBinding,
  JetStreamTransport,
  Messaging,
  type RequestSpec,
} from '@tocsin/messaging';
import { atTheEnd } from '@tocsin/testing';
import { createHash } from 'node:crypto';

type Handler = (input: never, ctx: CommandContext) => unknown;
type Ending = {
  hash: string;
  ended: boolean;
  end?: Promise<unknown>;
  result?: unknown;
  error?: { code: string; message: string };
};

/** A small stand-in for one service that owns data: answers over the real broker, keeps everything in memory. */
export class FakeOwner {
  readonly operations = new Map<string, Ending>();
  readonly seen: { command: string; input: unknown; ctx: CommandContext }[] = [];
  readonly transport: JetStreamTransport;

  private constructor(readonly messaging: Messaging) {
    this.transport = new JetStreamTransport(messaging);
  }

  static async connect(service: string, natsUrl: string): Promise<FakeOwner> {
    const options = { service, instance: `${service}-fake`, servers: [natsUrl], replicas: 1 as const, contract };
    const messaging = await Messaging.connect(options);
    atTheEnd(() => messaging.close());
    return new FakeOwner(messaging);
  }

  answers(request: RequestSpec, handler: (input: never) => unknown): this {
    const binding: HandlerBinding = { kind: 'request', request };
    this.transport.addHandler(request.subject, async (input: unknown) => handler(input as never), false, binding);
    return this;
  }

  /** Takes what a consumer delivers. */
  handles(consumer: ConsumerSpec, handler: (data: never) => void): this {
    const binding: HandlerBinding = { kind: 'consumer', consumer, options: {} };
    this.transport.addHandler(consumer.durable, async (data: unknown) => handler(data as never), true, binding);
    return this;
  }

  /** Carries a command out once per operation, as owners do, and remembers what came of it. */
  carriesOut(command: CommandSpec, handler: Handler): this {
    const once = async (input: unknown, ctx: CommandContext): Promise<unknown> => {
      const before = this.operations.get(ctx.operationId);
      // As the database does: of two that race, the second waits for the first one's commit.
      await before?.end;
      if (before && before.hash !== ctx.requestHash)
        throw new TocsinError('key_reused', 'This key named another request.');
      if (before) return before.result;
      this.seen.push({ command: command.name, input, ctx });
      const ending: Ending = { hash: ctx.requestHash, ended: false };
      this.operations.set(ctx.operationId, ending);
      const { promise, resolve } = Promise.withResolvers<void>();
      ending.end = promise;
      try {
        return (ending.result = await handler(input as never, ctx));
      } catch (error) {
        ending.error = { code: (error as TocsinError).code, message: (error as Error).message };
        throw error;
      } finally {
        ending.ended = true;
        resolve();
      }
    };
    const binding: HandlerBinding = { kind: 'command', command };
    const handle = (input: unknown, ctx: unknown): Promise<unknown> => once(input, ctx as CommandContext);
    this.transport.addHandler(`commands.${command.service}.${command.name}`, handle, false, binding);
    return this;
  }

  knowsOperations(request: RequestSpec): this {
    return this.answers(request, ({ operationId }: { operationId: string }) => {
      const ending = this.operations.get(operationId);
      if (!ending?.ended) return { status: 'unknown' };
      const requestHash = ending.hash || undefined;
      if (ending.error) return { status: 'failed', error: ending.error, requestHash };
      return { status: 'done', result: ending.result, requestHash };
    });
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      void this.transport.listen((error) => (error instanceof Error ? reject(error) : resolve()));
    });
    atTheEnd(() => this.transport.drain());
  }

  last(command: string): { input: unknown; ctx: CommandContext } {
    const found = this.seen.findLast((one) => one.command === command);
    if (!found) throw new Error(`No ${command} was carried out.`);
    return found;
  }
}

/** Tokens that the fake owner of monitors knows. */
export const tokens = {
  admin: 'tsn_admin-admin-admin-admin',
  editor: 'tsn_editor-editor-editor-editor',
  viewer: 'tsn_viewer-viewer-viewer-viewer',
} as const satisfies Record<Role, string>;

/** More of them, by the hash of their secret. */
const moreTokens = new Map<string, { id: string; name: string; role: Role; expiresAt?: number }>();

/** Adds one that a test revokes, or that ends. */
export function addToken(secret: string, o: { expiresAt?: number } = {}): string {
  const id = newId();
  const hash = createHash('sha256').update(secret).digest('hex');
  moreTokens.set(hash, { id, name: 'another', role: 'viewer', ...o });
  return id;
}

export function verify({ hash }: { hash: string }): unknown {
  const more = moreTokens.get(hash);
  if (more) return { token: more };
  for (const [role, secret] of Object.entries(tokens)) {
    if (createHash('sha256').update(secret).digest('hex') !== hash) continue;
    return { token: { id: idFrom(role), name: `the ${role}`, role } };
  }
  return { token: null };
}

/** Monitors in memory, with revisions. */
export class FakeMonitors {
  readonly all = new Map<string, Monitor>();

  create(spec: Monitor['spec']): Monitor {
    const now = Date.now();
    const made: Monitor = { id: newId(), revision: 1, createdAt: now, updatedAt: now, gridSince: now, spec };
    this.all.set(made.id, made);
    return made;
  }

  get(id: string): Monitor {
    const found = this.all.get(id);
    if (!found) throw new TocsinError('not_found', `There is no monitor ${id}.`);
    return found;
  }

  change(input: { id: string; ifRevision?: IfRevision }, spec: (before: Monitor) => unknown): Monitor {
    const before = this.get(input.id);
    if (input.ifRevision !== undefined && ![input.ifRevision].flat().includes(before.revision)) {
      throw new TocsinError('stale', `It has revision ${before.revision} by now.`);
    }
    const after = { ...before, revision: before.revision + 1, spec: spec(before) as Monitor['spec'] };
    this.all.set(after.id, after);
    return after;
  }
}
