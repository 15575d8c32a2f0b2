import { Injectable } from '@nestjs/common';
import { token } from '@tocsin/contracts';
import { type ChangeRecord, type ChangesQuery, type OperationRecord, Operations } from '@tocsin/database';
import { TokenSecrets } from './tokens/token-secrets.ts';

/** Answers what an operation came to, as it was answered when it was carried out. */
@Injectable()
export class OperationsReader {
  constructor(
    private readonly operations: Operations,
    private readonly secrets: TokenSecrets,
  ) {}

  /** Who changed what, the newest first. */
  changes(query: ChangesQuery): Promise<ChangeRecord[]> {
    return this.operations.changes(query);
  }

  /**
   * What an operation came to; `unknown` when there is no record of it. For a created token the answer holds its secret,
   * as the first answer did; the gateway shows an operation to nobody but the token that asked for it.
   */
  async find({ operationId }: { operationId: string }): Promise<OperationRecord> {
    const found = await this.operations.find(operationId);
    if (found.status !== 'done') return found;
    const made = token.safeParse(found.result);
    if (!made.success) return found;
    return { ...found, result: { ...made.data, secret: await this.secrets.of(made.data.id) } };
  }
}
