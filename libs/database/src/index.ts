export {
  type AskedBy,
  type Change,
  type ChangeKind,
  type ChangesQuery,
  listChanges,
  purgeChanges,
  recordChange,
} from './changes.ts';
export { Database } from './database.ts';
export { DatabaseModule } from './database.module.ts';
export { migrate } from './migrations.ts';
export { lookupOperation, once, type Operation, purgeOperations } from './operations.ts';
export { Outbox, type OutboxMessage, type OutboxOptions, type OutboxRow, type OutboxSource } from './outbox.ts';
export { type Migration, platformMigrations } from './platform-migrations.ts';
export type { DatabaseOptions, Queryable, QueryOptions, Role, Transaction, TransactionOptions } from './types.ts';
