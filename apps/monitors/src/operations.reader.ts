import { Inject, Injectable } from '@nestjs/common';
import { token } from '@tocsin/contracts';
import { tokenSecret } from '@tocsin/core';
import { CONFIG } from '@tocsin/service';
import type { MonitorsConfig } from './monitors.config.ts';
import { Operations } from './operations.ts';

/** Answers what an operation came to, as it was answered when it was carried out. */
@Injectable()
export class OperationsReader {
  constructor(
    private readonly operations: Operations,
    @Inject(CONFIG) private readonly config: MonitorsConfig,
  ) {}

  /**
   * What an operation came to; `unknown` when there is no record of it. For a created token the answer holds its secret,
   * as the first answer did; the gateway shows an operation to nobody but the token that asked for it.
   */
  async find({ operationId }: { operationId: string }): ReturnType<Operations['find']> {
    const found = await this.operations.find(operationId);
    const made = token.safeParse(found.result);
    if (!made.success) return found;
    return { ...found, result: { ...made.data, secret: tokenSecret(this.config.secret, made.data.id) } };
  }
}
