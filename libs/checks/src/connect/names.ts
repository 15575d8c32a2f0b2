import { lookup, type LookupAddress } from 'node:dns';
import { isIP } from 'node:net';
import type { FieldError } from '@tocsin/core';
import { CheckFailure } from '../failure.ts';

export type IpFamily = 'any' | '4' | '6';
type Callback = (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void;

const FAMILY = { any: 0, '4': 4, '6': 6 } as const;
const underWay = new Map<string, Callback[]>();

/**
 * Resolves a name as the host does (hosts file, search domains). A name is asked for once at a time: a resolver that
 * does not answer for one name then holds one thread of the pool, and not all of them.
 */
export function resolveName(host: string, family: IpFamily, callback: Callback): void {
  const key = `${family} ${host}`;
  const waiting = underWay.get(key);
  if (waiting) {
    waiting.push(callback);
    return;
  }
  underWay.set(key, [callback]);
  lookup(host, { all: true, family: FAMILY[family], order: 'verbatim' }, (error, addresses) => {
    const callbacks = underWay.get(key) ?? [];
    underWay.delete(key);
    for (const each of callbacks) each(error, addresses);
  });
}

/** The addresses, each once, with those of the other family in between (RFC 8305, section 4): one of them may be out of order. */
export function inTurns(addresses: readonly LookupAddress[]): string[] {
  const all = [...new Map(addresses.map((each) => [each.address, each])).values()];
  const first = all.filter(({ family }) => family === all[0]?.family);
  const second = all.filter(({ family }) => family !== all[0]?.family);
  return Array.from({ length: Math.max(first.length, second.length) }, (_, n) => [first[n], second[n]])
    .flat()
    .flatMap((each) => (each ? [each.address] : []));
}

/** Refuses an address of the wrong family, which no name server can change. */
export function checkFamily(host: string, family: IpFamily): void {
  if (!isOfFamily(host, family)) throw new CheckFailure('dns', `dns: ${host} is not an IPv${family} address`);
}

function isOfFamily(host: string, family: IpFamily): boolean {
  const version = isIP(host);
  return version === 0 || family === 'any' || String(version) === family;
}

/** What a failed look-up means, in words. */
export function nameFailure(error: NodeJS.ErrnoException, host: string, family: IpFamily): CheckFailure {
  return new CheckFailure('dns', `dns: ${explain(error.code ?? '', host, family)}`, { cause: error });
}

function explain(code: string, host: string, family: IpFamily): string {
  switch (code) {
    case 'ENOTFOUND':
      return family === 'any' ? `no such host ${host}` : `no such host ${host}, or it has no IPv${family} address`;
    case 'ENODATA':
      return `${host} has no ${family === 'any' ? '' : `IPv${family} `}address`;
    case 'EAI_AGAIN':
      return `the name server did not answer for ${host}`;
    default:
      return `could not resolve ${host} (${code || 'unknown error'})`;
  }
}

/** The fault of a host that is an address of another family than `ipFamily` asks for, if it is one. */
export function familyFaults(host: string, family: IpFamily, path: string): FieldError[] {
  return isOfFamily(host, family) ? [] : [{ path, message: `is not an IPv${family} address, which ipFamily asks for` }];
}
