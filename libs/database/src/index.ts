export { Database } from './database.ts';
export { migrate } from './migrations/migrations.ts';
export {
  type ChangeKind,
  type ChangeRecord,
  type ChangesQuery,
  recordChange,
  type RequestedBy,
} from './operations/changes.ts';
export {
  type Operation,
  type OperationRecord,
  Operations,
  type OperationsOptions,
  type OperationTarget,
  type Work,
} from './operations/operations.ts';
export { Outbox, type OutboxMessage, type OutboxOptions, type OutboxRow, type OutboxSource } from './outbox/outbox.ts';
export { type Migration, platformMigrations } from './migrations/platform-migrations.ts';
export type { DatabaseOptions, Queryable, QueryOptions, Role, Transaction, TransactionOptions } from './types.ts';
