import { createRequire } from 'node:module';

/** The little of `pg` that is used here. */
export interface PgClient {
  connect(): Promise<unknown>;
  query(sql: string, params?: unknown[]): Promise<{ rows: Record<string, unknown>[] }>;
  end(): Promise<void>;
  on(event: 'error', listener: () => void): unknown;
  connection: { stream: { destroy(): void } };
}

interface PgModule {
  Client: new (config: {
    connectionString: string;
    connectionTimeoutMillis: number;
    application_name: string;
  }) => PgClient;
}

const { Client } = createRequire(import.meta.url)('pg') as PgModule;

const CONNECT_MS = 3_000;

/**
 * Opens one connection, gives it to `use` and closes it afterwards. Connecting takes 3 s at most.
 * @throws what connecting or `use` threw
 */
export async function withClient<T>(url: string, use: (client: PgClient) => Promise<T>): Promise<T> {
  const client = new Client({
    connectionString: url,
    connectionTimeoutMillis: CONNECT_MS,
    application_name: 'tocsin-local',
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
  } catch (error) {
    client.connection.stream.destroy();
    throw error;
  }
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}
