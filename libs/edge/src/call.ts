import {
  createParamDecorator,
  type ExecutionContext,
  RequestMapping,
  RequestMethod,
  SetMetadata,
} from '@nestjs/common';
import { applyDecorators } from '@nestjs/common';
import type { Role, Route } from '@tocsin/contracts';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import type { Preconditions } from './preconditions.ts';

/** Who asks. */
export interface Caller {
  tokenId: string;
  name: string;
  role: Role;
  /** When the token stops working, ms since the epoch. */
  expiresAt?: number;
}

/** A request that was admitted: who asks, what for, and until when; parsed, once. */
export interface Call<R extends Route = Route> {
  readonly route: R;
  readonly params: z.output<R['params']>;
  readonly query: z.output<R['query']>;
  readonly body: z.output<R['body']>;
  /** Absent only where the route is for anyone. */
  readonly caller: Caller | undefined;
  /** When the caller stops waiting, ms since the epoch. */
  readonly deadline: number;
  readonly preconditions: Preconditions;
  /** Names the change, so that it is carried out once; and tells another request under the same name. */
  readonly operation: { readonly key: string | undefined; readonly requestHash: string };
  readonly headers: FastifyRequest['headers'];
  readonly head: boolean;
}

export type EdgeRequest = FastifyRequest & { call?: Call };
export type EdgeReply = FastifyReply;

export const ROUTE = Symbol('route');

/** Serves a row of the route table; its method, path, role and schemas come from there. */
export function Serve(route: Route): MethodDecorator {
  const path = route.path.replaceAll(/\{(\w+)\}/g, ':$1');
  return applyDecorators(SetMetadata(ROUTE, route), RequestMapping({ path, method: RequestMethod[route.method] }));
}

/** The admitted request, as a handler's parameter. */
export const FromCall = createParamDecorator((_: unknown, context: ExecutionContext): Call | undefined => {
  return context.switchToHttp().getRequest<EdgeRequest>().call;
});
