import { TocsinError } from '@tocsin/core';

/** One server that may be the one that is looked for. */
export interface Host {
  host: string;
  port: number;
}

/** A connection string, taken apart. */
export interface Address {
  hosts: readonly Host[];
  user: string | undefined;
  password: string | undefined;
  database: string;
  ssl: boolean | { rejectUnauthorized: boolean; ca?: string };
}

const FORM = /^postgres(?:ql)?:\/\/(?:([^@/]*)@)?([^/?]+)\/([^?]+)(?:\?(.*))?$/;

/**
 * Takes a PostgreSQL connection string apart; unlike the driver it knows several hosts.
 * @throws TocsinError `invalid`; the message never repeats the string, which may hold a password.
 */
export function parseAddress(url: string, ca?: string): Address {
  const match = FORM.exec(url);
  if (match === null) throw malformed('expected postgres://user:password@host:port[,host:port]/database');
  const [, credentials = '', hosts = '', database = '', query = ''] = match;
  const colon = credentials.indexOf(':');
  const user = colon === -1 ? credentials : credentials.slice(0, colon);
  return {
    hosts: hosts.split(',').map(parseHost),
    user: user === '' ? undefined : decode(user),
    password: colon === -1 ? undefined : decode(credentials.slice(colon + 1)),
    database: decode(database),
    ssl: sslOf(new URLSearchParams(query).get('sslmode') ?? 'disable', ca),
  };
}

function parseHost(text: string): Host {
  const match = /^(\[[0-9a-fA-F:.]+\]|[^:[\]\s]+)(?::(\d{1,5}))?$/.exec(text);
  const port = Number(match?.[2] ?? 5432);
  if (match?.[1] === undefined || port < 1 || port > 65_535) throw malformed('one of its hosts is not host:port');
  return { host: match[1].replace(/^\[|\]$/g, ''), port };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw malformed('a "%" in it is not followed by two hexadecimal digits; write a literal one as %25');
  }
}

function sslOf(mode: string, ca: string | undefined): Address['ssl'] {
  if (mode === 'disable') return false;
  if (mode === 'require') return { rejectUnauthorized: false };
  if (mode === 'verify-full') return ca === undefined ? true : { rejectUnauthorized: true, ca };
  throw malformed('sslmode must be disable, require or verify-full');
}

function malformed(why: string): TocsinError {
  return new TocsinError('invalid', `The database URL is not usable: ${why}.`);
}
