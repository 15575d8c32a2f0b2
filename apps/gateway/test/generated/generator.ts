import { Chance } from './chance.ts';
import { HOSTILE_BODIES, HOSTILE_HEADERS, HOSTILE_TEXTS, HOSTILE_VALUES, METHODS, STRANGE_PATHS } from './hostile.ts';
import type { Description, Operation, Parameter, Schema } from './description.ts';

/** A request as it is sent. */
export interface Generated {
  method: string;
  path: string;
  headers: Record<string, string>;
  body?: string | Buffer;
  /** Of the description; absent where it describes no such method and path. */
  operation?: Operation;
}

/** What exists, so that requests can be about it; grows as answers come in. */
export interface Known {
  ids: string[];
  keys: string[];
  tokens: Record<'admin' | 'editor' | 'viewer', string>;
}

/** What waits by design: asked for more seldom. */
const SLOW = new Set(['system', 'channelsTest']);

/** Makes requests from the API's description: valid ones, such with one thing wrong, and hostile ones. */
export class Generator {
  private made = 0;

  constructor(
    private readonly description: Description,
    private readonly known: Known,
    private readonly chance: Chance,
  ) {}

  next(): Generated {
    const { chance } = this;
    this.made += 1;
    if (chance.is(0.04)) return this.strange();
    const operation = this.operation();
    const headers: Record<string, string> = {};
    const request: Generated = {
      method: operation.method,
      path: this.pathOf(operation) + this.queryOf(operation),
      headers,
      operation,
    };
    if (operation.role !== 'anyone') this.authorize(headers);
    if (operation.method !== 'GET' && chance.is(0.3)) headers['idempotency-key'] = this.keyOf(operation);
    const body = operation.bodies.length > 0 || chance.is(0.02) ? this.bodyOf(operation, headers) : undefined;
    if (body !== undefined && operation.method !== 'GET') request.body = body;
    if (chance.is(0.12)) this.addHostileHeader(headers, operation);
    return request;
  }

  private operation(): Operation {
    const operation = this.chance.of(this.description.operations);
    return SLOW.has(operation.name) && this.chance.is(0.8) ? this.operation() : operation;
  }

  private strange(): Generated {
    const { chance } = this;
    const headers: Record<string, string> = {};
    this.authorize(headers);
    const path = chance.is(0.5) ? chance.of(STRANGE_PATHS) : this.pathOf(chance.of(this.description.operations));
    return { method: chance.of(METHODS), path, headers };
  }

  private authorize(headers: Record<string, string>): void {
    const { chance, known } = this;
    if (chance.is(0.04)) return;
    const role = chance.is(0.85) ? 'admin' : chance.of(['editor', 'viewer'] as const);
    const token = chance.is(0.03) ? 'tsn_unknown-unknown-unknown-unknown' : known.tokens[role];
    headers['authorization'] = `Bearer ${token}`;
  }

  /** A key of one of few, so that it is used again, for the same request or for another. */
  private keyOf({ name }: Operation): string {
    return this.chance.is(0.5) ? `key-${this.chance.below(40)}` : `${name}-${this.made}`;
  }

  private pathOf(operation: Operation): string {
    return operation.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
      const { chance, known } = this;
      // Nothing at all would be another address.
      if (chance.is(0.08)) return chance.of(HOSTILE_TEXTS) || '%20';
      if (name === 'key') return known.keys.length > 0 && chance.is(0.8) ? chance.of(known.keys) : 'no-key';
      if (name === 'signal') return chance.of(['start', 'fail', '0', '1', '255', '256', 'stop']);
      if (operation.tag === 'Dead letters') return String(chance.below(5));
      const id = known.ids.length > 0 ? chance.of(known.ids) : '0194f3c2-7a1b-7c3d-8e4f-0123456789ab';
      return chance.is(0.1) ? id.toUpperCase() : id;
    });
  }

  private queryOf({ parameters }: Operation): string {
    const { chance } = this;
    const given = parameters.filter(
      ({ in: place, name }) => place === 'query' && chance.is(name === 'limit' ? 0.9 : 0.3),
    );
    const parts = given.flatMap((one) => {
      const part = `${one.name}=${this.valueOf(one)}`;
      return chance.is(0.05) ? [part, `${one.name}=${this.valueOf(one)}`] : [part];
    });
    if (chance.is(0.02)) parts.push(`${chance.of(['colour', '__proto__', 'limit[]', 'constructor'])}=1`);
    return parts.length > 0 ? `?${parts.join('&')}` : '';
  }

  private valueOf({ name, schema }: Parameter): string {
    const { chance, known } = this;
    if (chance.is(0.25)) return chance.of(HOSTILE_TEXTS);
    if (name.endsWith('Id') && known.ids.length > 0) return chance.of(known.ids);
    // Long pages show no more than short ones, and take longer.
    if (name === 'limit') return String(1 + chance.below(20));
    if (name === 'from' || name === 'to') return String(Date.now() - chance.below(90_000_000));
    return encodeURIComponent(String(chance.of(choicesIn(schema))));
  }

  private bodyOf(operation: Operation, headers: Record<string, string>): string | Buffer {
    const { chance } = this;
    headers['content-type'] =
      operation.bodyTypes[0] === '*/*' ? 'text/plain' : (operation.bodyTypes[0] ?? 'application/json');
    if (operation.bodies.length === 0 || chance.is(0.08)) return chance.of(HOSTILE_BODIES);
    const body = structuredClone(chance.of(operation.bodies));
    if (typeof body === 'string') return chance.is(0.2) ? chance.of(HOSTILE_BODIES) : body;
    const changes = chance.is(0.45) ? 0 : 1 + chance.below(2);
    let mutated: unknown = body;
    for (let n = 0; n < changes; n += 1) mutated = this.mutated(mutated);
    return JSON.stringify(mutated);
  }

  /** The same with one value, however deep, exchanged, taken out, doubled or named otherwise. */
  private mutated(value: unknown): unknown {
    const { chance } = this;
    if (typeof value !== 'object' || value === null || chance.is(0.1)) return chance.of(HOSTILE_VALUES);
    if (Array.isArray(value)) {
      if (value.length === 0 || chance.is(0.3)) return [...(value as unknown[]), chance.of(HOSTILE_VALUES)];
      return (value as unknown[]).with(chance.below(value.length), this.mutated(chance.of(value as unknown[])));
    }
    const entries = Object.entries(value);
    const [name] = entries.length > 0 ? chance.of(entries) : ['x'];
    const others = entries.filter(([one]) => one !== name);
    if (chance.is(0.15)) return Object.fromEntries(others);
    if (chance.is(0.1)) return { ...value, [chance.of(['extra', 'constructor', 'toJSON', '', 'x'.repeat(300)])]: 1 };
    return { ...value, [name]: this.mutated((value as Record<string, unknown>)[name]) };
  }

  private addHostileHeader(headers: Record<string, string>, operation: Operation): void {
    const [name, value] = this.chance.of(HOSTILE_HEADERS);
    // A stream of bytes with an encoding that it has not would be another request; what reads it is told so.
    if (name === 'content-type' && operation.bodies.length === 0) return;
    headers[name] = value;
  }
}

/** Values that a schema offers, or a word. */
function choicesIn(schema: Schema): readonly unknown[] {
  if (schema.enum) return schema.enum;
  const inner = (schema.anyOf ?? []).flatMap((one) => choicesIn(one));
  if (inner.length > 0) return inner;
  if (schema.items) return choicesIn(schema.items);
  return ['word', 'true', '5m', '1'];
}
