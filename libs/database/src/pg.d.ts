/** The part of node-postgres that this library uses. The driver ships no types. */
declare module 'pg' {
  import type { EventEmitter } from 'node:events';

  export interface ClientConfig {
    host: string;
    port: number;
    user?: string | undefined;
    password?: string | undefined;
    database?: string | undefined;
    ssl?: boolean | { rejectUnauthorized: boolean };
    application_name?: string;
    options?: string;
    keepAlive?: boolean;
    connectionTimeoutMillis?: number;
    statement_timeout?: number;
    idle_in_transaction_session_timeout?: number;
    types?: { getTypeParser(oid: number, format?: 'text' | 'binary'): (value: string) => unknown };
  }

  export interface QueryConfig {
    text: string;
    values?: unknown[];
    name?: string;
  }

  export interface QueryResult<R> {
    rows: R[];
    rowCount: number | null;
    command: string;
  }

  export interface Notice {
    code?: string;
    message?: string;
  }

  export class Client extends EventEmitter {
    constructor(config: ClientConfig);
    readonly connection: { stream: { destroy(): void } };
    connect(): Promise<unknown>;
    query<R>(query: QueryConfig): Promise<QueryResult<R>>;
    end(): Promise<void>;
  }

  export const types: { getTypeParser(oid: number, format?: 'text' | 'binary'): (value: string) => unknown };
}
