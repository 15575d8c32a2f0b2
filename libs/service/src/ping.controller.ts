import { Controller, type Type } from '@nestjs/common';
import { Answers, type RequestSpec } from '@tocsin/messaging';
import { Health } from './health.ts';

/** What an instance says about itself when all are asked. */
export interface Pong {
  service: string;
  instance: string;
  version: string;
  pid: number;
  startedAt: number;
  ready: boolean;
  health: Record<string, { ok: boolean; [detail: string]: unknown }>;
}

/** A controller that answers this request. Each process makes its own, because the contract comes from the app. */
export function pingController(request: RequestSpec): Type {
  @Controller()
  class PingController {
    constructor(private readonly health: Health) {}

    @Answers(request)
    async ping(): Promise<Pong> {
      const { service, instance, version, pid, startedAt, status, dependencies } = await this.health.report();
      return { service, instance, version, pid, startedAt, ready: status === 'ready', health: dependencies };
    }
  }
  return PingController;
}
