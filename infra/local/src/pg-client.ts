import { createRequire } from 'node:module';

/** The little of `pg` that is used here. */
export interface PgClient {
  connect(): Promise<unknown>;
  query(sql: string, params?: unknown[]): Promise<{ rows: Record<string, unknown>[] }>;
  end(): Promise<void>;
  on(event: 'error', listener: () => void): unknown;
}

interface PgModule {
  Client: new (config: {
    connectionString: string;
    connectionTimeoutMillis: number;
    application_name: string;
  }) => PgClient;
}

const { Client } = createRequire(import.meta.url)('pg') as PgModule;

/** Opens one connection, gives it to `use` and closes it whatever happens. */
export async function withClient<T>(url: string, use: (client: PgClient) => Promise<T>): Promise<T> {
  const client = new Client({
    connectionString: url,
    connectionTimeoutMillis: 3_000,
    application_name: 'tocsin-local',
  });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}
