import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { Route } from '@tocsin/contracts';
import { type EdgeReply, type EdgeRequest, ServedRoute } from './call.ts';
import { RequestAdmission } from './request-admission.ts';
import { RequestSlots } from './request-slots.ts';

/**
 * Lets a request in when a slot is free and `RequestAdmission` admits it. `AnswerInterceptor` releases the slot, or the guard
 * itself when the request is refused.
 */
@Injectable()
export class EdgeGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly slots: RequestSlots,
    private readonly admission: RequestAdmission,
  ) {}

  /** @throws TocsinError that says why the request is refused */
  async canActivate(context: ExecutionContext): Promise<boolean> {
    const route = this.reflector.get(ServedRoute, context.getHandler()) as Route | undefined;
    if (context.getType() !== 'http' || !route) return true;
    const http = context.switchToHttp();
    const request = http.getRequest<EdgeRequest>();
    this.slots.take();
    try {
      request.admission = await this.admission.admit(route, request, http.getResponse<EdgeReply>());
      return true;
    } catch (error) {
      this.slots.release();
      throw error;
    }
  }
}
