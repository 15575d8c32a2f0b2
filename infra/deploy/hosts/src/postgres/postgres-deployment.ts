import type { Deployment } from '../deployment.ts';

/** What the database's files are made from. */
export type PostgresDeployment = Pick<Deployment, 'hosts' | 'postgresql' | 'location' | 'archive'> & {
  secrets: Pick<Deployment['secrets'], 'postgres'>;
};

/** Runs the server, and may read its secrets. */
export const POSTGRES_USER = 'tocsin-postgres';
