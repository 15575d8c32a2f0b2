import { type ErrorCode, TocsinError, type TocsinErrorOptions } from '@tocsin/core';

/** What the pool and the transaction do about a failure. */
export type FailureKind =
  /** The connection is gone, or the server is not (or no longer) the one wanted: look for the primary again. */
  | 'connection'
  /** The transaction lost against another one: run it again. */
  | 'again'
  /** A prepared statement is older than its table: prepare and run it again. */
  | 'outdated'
  /** The statement was refused; repeating it changes nothing by itself. */
  | 'refused';

/** A driver's error, or the library's own, classified. */
export interface Failure {
  kind: FailureKind;
  error: TocsinError;
}

interface ServerError {
  code: string;
  message: string;
  constraint?: string;
  table?: string;
  column?: string;
}

/** Thrown inside the library when a connection did not answer in time; the connection is unusable from then on. */
export class ConnectionTimeout extends Error {}

const SERVER_GONE = new Set(['57P01', '57P02', '57P03', '25006', '25P03', '25P04']);
const STALE_PLAN = '0A000';
const LOST = 'it lost against a concurrent change; retry';

/** Turns whatever the driver threw into a TocsinError and says what to do about it. `statement` is its name, for the message. */
export function classify(cause: unknown, statement: string): Failure {
  if (cause instanceof TocsinError) return { kind: 'refused', error: cause };
  if (!isServerError(cause)) return connectionFailure(cause);
  const { code } = cause;
  if (SERVER_GONE.has(code) || code.startsWith('08') || isClosed(cause)) return connectionFailure(cause, code);
  if (code === '40001' || code === '40P01') {
    return { kind: 'again', error: refusal('unavailable', LOST, cause, statement) };
  }
  if (code === STALE_PLAN && cause.message.includes('cached plan')) {
    return {
      kind: 'outdated',
      error: refusal('unavailable', 'the table was changed just now; retry', cause, statement),
    };
  }
  const [name, remedy] = meaningOf(code);
  return { kind: 'refused', error: refusal(name, remedy, cause, statement) };
}

function connectionFailure(cause: unknown, sqlState?: string): Failure {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const error = new TocsinError('unavailable', `The database is not reachable (${reason}); retry once it is back.`, {
    cause,
    ...(sqlState === undefined ? {} : { details: { sqlState } }),
  });
  return { kind: 'connection', error };
}

function isServerError(cause: unknown): cause is ServerError {
  if (!(cause instanceof Error) || !('code' in cause)) return false;
  // The server's codes have five characters and a digit; the operating system's (ECONNREFUSED) are longer or have none.
  return typeof cause.code === 'string' && /^[0-9A-Z]{5}$/.test(cause.code) && 'severity' in cause;
}

/** The server is there, but takes no connections to this database now: it is being moved or restored. */
function isClosed({ code, message }: ServerError): boolean {
  return code === '55000' && message.includes('not currently accepting connections');
}

const MEANINGS: readonly (readonly [prefix: string, code: ErrorCode, remedy: string])[] = [
  ['23505', 'conflict', 'a row with the same key exists'],
  ['23503', 'conflict', 'it refers to a row that does not exist, or that others still refer to'],
  ['23', 'invalid', 'a value breaks a rule of the table; correct it'],
  ['22', 'invalid', 'a value cannot be stored as given; correct it'],
  ['57014', 'deadline', 'the statement took longer than allowed; retry, or look for a missing index or a lock'],
  ['55P03', 'deadline', 'a lock was not free in time; retry'],
  ['53', 'unavailable', 'the server is out of a resource (connections, memory or disk); free it, then retry'],
  ['28', 'unavailable', 'the server refused the user or password; correct the database URL'],
  ['3D', 'unavailable', 'the database does not exist; create it or correct the database URL'],
  ['42501', 'internal', 'the role may not do this; check which service owns the schema'],
  ['42P01', 'internal', 'the table does not exist; run the migrations of its owner'],
];

function meaningOf(code: string): readonly [ErrorCode, string] {
  const found = MEANINGS.find(([prefix]) => code.startsWith(prefix));
  return found === undefined ? ['internal', 'the statement was refused; this is a defect'] : [found[1], found[2]];
}

function refusal(code: ErrorCode, remedy: string, cause: ServerError, statement: string): TocsinError {
  const options: TocsinErrorOptions = {
    cause,
    details: {
      sqlState: cause.code,
      statement,
      ...(cause.constraint === undefined ? {} : { constraint: cause.constraint }),
      ...(cause.table === undefined ? {} : { table: cause.table }),
      ...(cause.column === undefined ? {} : { column: cause.column }),
    },
  };
  return new TocsinError(code, `Database (${statement}, ${cause.code}): ${remedy}. ${cause.message}`, options);
}
