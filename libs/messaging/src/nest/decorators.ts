import { Ctx, EventPattern, type MessageHandler, MessagePattern, Payload } from '@nestjs/microservices';
import type { CommandContext } from '../consume/command-consumer.ts';
import type { Delivery } from '../consume/delivery.ts';
import type { RequestContext } from '../consume/responder.ts';
import {
  type BatchOptions,
  type CommandSpec,
  commandPattern,
  type ConsumerSpec,
  type HandlerOptions,
  type RequestSpec,
  type Schema,
  type SingleOptions,
} from '../contract.ts';

/** A value, or how it follows from the service's configuration, which is known only when the service starts. */
export type FromConfig<V, C extends object> = V | ((config: C) => V);

/** What a handler serves. The decorators store it beside Nest's pattern, and the transport reads it there. */
export type HandlerBinding =
  | { kind: 'consumer'; consumer: FromConfig<ConsumerSpec, never>; options: FromConfig<HandlerOptions, never> }
  | { kind: 'request'; request: RequestSpec; concurrency?: number | undefined }
  | { kind: 'command'; command: CommandSpec };

/** Decorates a method that takes `A`, or fewer arguments, and returns `R`. */
type HandlerDecorator<A extends unknown[], R = unknown> = <M extends (...args: A) => R | Promise<R>>(
  target: object,
  key: string | symbol,
  descriptor: TypedPropertyDescriptor<M>,
) => void;

/** What a schema gives out. */
type Parsed<S extends Schema<unknown>> = ReturnType<S['parse']>;

/** What a schema takes in, before it fills in defaults. Schemas that follow Standard Schema, such as zod's, declare it. */
type Accepted<S extends Schema<unknown>> = S extends { readonly '~standard': { readonly types?: infer T } }
  ? NonNullable<T> extends { input: infer I }
    ? I
    : never
  : Parsed<S>;

/** A result may be built from readonly parts: it is only written to the wire. */
type DeepReadonly<T> = T extends object ? { readonly [K in keyof T]: DeepReadonly<T[K]> } : T;

/**
 * Consumes a durable consumer, as a queue group with the other instances: `@Consumes(consumers.incidentsResults, { batch: 250 })`.
 * With `batch` the method receives deliveries in batches, otherwise a payload and its delivery. It needs no `@Payload` or
 * `@Ctx`. The consumer and the options may be functions of the service's configuration.
 */
export function Consumes<T, C extends object>(
  consumer: FromConfig<ConsumerSpec<T>, C>,
  options: FromConfig<BatchOptions, C>,
): HandlerDecorator<[deliveries: Delivery<T>[]]>;
export function Consumes<T, C extends object>(
  consumer: FromConfig<ConsumerSpec<T>, C>,
  options?: FromConfig<SingleOptions, C>,
): HandlerDecorator<[payload: T, delivery: Delivery<T>]>;
export function Consumes(
  consumer: FromConfig<ConsumerSpec, never>,
  options: FromConfig<HandlerOptions, never> = {},
): HandlerDecorator<never> {
  return (target, key, descriptor) => {
    // A consumer that follows from the configuration has no name yet, so Nest knows the handler by its method.
    const pattern = typeof consumer === 'function' ? `${target.constructor.name}.${String(key)}` : consumer.durable;
    const binding: HandlerBinding = { kind: 'consumer', consumer, options };
    (EventPattern(pattern, binding) as MethodDecorator)(target, key, descriptor);
    bindArguments(target, key);
  };
}

/** Answers a request: `@Answers(requests.statesList)`. The method receives the parsed input and the context. */
export function Answers<S extends RequestSpec>(
  request: S,
  { concurrency }: Pick<HandlerOptions, 'concurrency'> = {},
): HandlerDecorator<[input: Parsed<S['input']>, context: RequestContext], DeepReadonly<Accepted<S['output']>>> {
  return (target, key, descriptor) => {
    const binding: HandlerBinding = { kind: 'request', request, concurrency };
    MessagePattern(request.subject, binding)(target, key, descriptor);
    bindArguments(target, key);
  };
}

/** Carries out a command: `@CarriesOut(commands.incidentsNote)`. The method receives the parsed input and the context. */
export function CarriesOut<S extends CommandSpec>(
  command: S,
): HandlerDecorator<[input: Parsed<S['input']>, context: CommandContext], DeepReadonly<Accepted<S['output']>>> {
  return (target, key, descriptor) => {
    const binding: HandlerBinding = { kind: 'command', command };
    MessagePattern(commandPattern(command), binding)(target, key, descriptor);
    bindArguments(target, key);
  };
}

/** The binding of a handler; `undefined` if it was registered with Nest's own decorators. */
export function bindingOf(handler: MessageHandler): HandlerBinding | undefined {
  const extras = handler.extras as Partial<HandlerBinding> | undefined;
  return extras?.kind === undefined ? undefined : (extras as HandlerBinding);
}

function bindArguments(target: object, key: string | symbol): void {
  Payload()(target, key, 0);
  Ctx()(target, key, 1);
}
