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
 * Opens one connection, gives it to `use` and closes it whatever happens.
 * @param timeoutMs for all of it together; without it only connecting is bounded (3 s)
 * @throws what connecting or `use` threw, or Error when the time is over
 */
export async function withClient<T>(
  url: string,
  use: (client: PgClient) => Promise<T>,
  timeoutMs?: number,
): Promise<T> {
  const client = new Client({
    connectionString: url,
    connectionTimeoutMillis: CONNECT_MS,
    application_name: 'tocsin-local',
  });
  client.on('error', () => undefined);
  const work = useAndEnd(client, use);
  if (timeoutMs === undefined) return await work;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`PostgreSQL did not answer within ${timeoutMs} ms`));
      client.connection.stream.destroy();
    }, timeoutMs);
  });
  work.catch(() => undefined);
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

async function useAndEnd<T>(client: PgClient, use: (client: PgClient) => Promise<T>): Promise<T> {
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

/** Whether an error came from the server itself, which thereby answered. */
export function isServerError(error: unknown): error is Error & { code: string } {
  return error instanceof Error && 'severity' in error && 'code' in error && typeof error.code === 'string';
}
