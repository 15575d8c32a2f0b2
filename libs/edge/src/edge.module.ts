import { type DynamicModule, Module } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_INTERCEPTOR } from '@nestjs/core';
import type { Route } from '@tocsin/contracts';
import { AddressLimits } from './address-limits.ts';
import { AnswerInterceptor } from './answer.interceptor.ts';
import { Authenticator } from './authenticator.ts';
import { EdgeGuard } from './edge.guard.ts';
import { ProblemFilter } from './problem.filter.ts';
import { RequestAdmission } from './request-admission.ts';
import { RequestSlots } from './request-slots.ts';
import { Revocations } from './revocations.ts';
import { RouteTable } from './route-table.ts';
import { TokenLimits } from './token-limits.ts';

/** Guards, answers and refuses the requests of a service whose handlers `@Serve` rows of a route table. */
@Module({})
export class EdgeModule {
  /** @param routes the rows that the service serves: a refusal of a method says which others there are */
  static forRoot(routes: Readonly<Record<string, Route>>): DynamicModule {
    return {
      module: EdgeModule,
      providers: [
        { provide: RouteTable, useFactory: () => new RouteTable(routes) },
        AddressLimits,
        Authenticator,
        RequestAdmission,
        RequestSlots,
        Revocations,
        TokenLimits,
        { provide: APP_GUARD, useClass: EdgeGuard },
        { provide: APP_INTERCEPTOR, useClass: AnswerInterceptor },
        { provide: APP_FILTER, useClass: ProblemFilter },
      ],
      exports: [AddressLimits, Authenticator],
    };
  }
}
