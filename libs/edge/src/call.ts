import { createParamDecorator, type ExecutionContext, RequestMapping, RequestMethod } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { Role, Route } from '@tocsin/contracts';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import type { Answer } from './answer.ts';
import { CallPipe } from './call.pipe.ts';
import type { Preconditions } from './preconditions.ts';

/** The owner of the token that a request was sent with. */
export interface Caller {
  tokenId: string;
  name: string;
  role: Role;
  /** When the token stops working, ms since the epoch. */
  expiresAt?: number;
}

/** What the guard knows of a request that it lets through. */
export interface Admission {
  readonly route: Route;
  /** Absent only where the route is for anyone. */
  readonly caller: Caller | undefined;
  /** When the caller stops waiting, ms since the epoch. */
  readonly deadline: number;
}

/** A request that was admitted, with its input parsed by the schemas of its route. */
export interface Call<R extends Route = Route> extends Admission {
  readonly route: R;
  readonly params: z.output<R['params']>;
  readonly query: z.output<R['query']>;
  readonly body: z.output<R['body']>;
  readonly preconditions: Preconditions;
  /** Names the change, so that it is carried out once; and tells another request under the same name. */
  readonly operation: { readonly key: string | undefined; readonly requestHash: string };
  readonly headers: FastifyRequest['headers'];
  readonly head: boolean;
}

export type EdgeRequest = FastifyRequest & { admission?: Admission };
export type EdgeReply = FastifyReply;

/** The row of the route table that a handler serves, as its metadata. */
export const ServedRoute = Reflector.createDecorator<Route>();

const CallOf = createParamDecorator((_: unknown, context: ExecutionContext): EdgeRequest =>
  context.switchToHttp().getRequest<EdgeRequest>(),
);

/**
 * Serves a row of the route table: method, path, role and schemas come from there. The handler's only parameter is the
 * `Call` of that row; no handler runs on input that was not parsed, also where it takes no parameter.
 */
export function Serve<R extends Route>(route: R) {
  const path = route.path.replaceAll(/\{(\w+)\}/g, ':$1');
  return <H extends (call: Call<R>) => Answer | Promise<Answer>>(
    target: object,
    name: string | symbol,
    descriptor: TypedPropertyDescriptor<H>,
  ): void => {
    ServedRoute(route)(target, name, descriptor);
    RequestMapping({ path, method: RequestMethod[route.method] })(target, name, descriptor);
    CallOf(CallPipe)(target, name, 0);
  };
}
