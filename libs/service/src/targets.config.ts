import { isIP } from 'node:net';
import { parseTargets, type TargetEntry } from '@tocsin/core';
import { z } from 'zod';
import { type Configuration, variable } from './env.ts';

/** A server of the deployment: a name or an address, and its port where not all of them are meant. */
export interface Endpoint {
  host: string;
  port?: number;
}

const list = z
  .string()
  .default('')
  .transform((text, context): TargetEntry[] => {
    try {
      return parseTargets(text);
    } catch (error) {
      context.addIssue(error instanceof RangeError ? error.message : String(error));
      return z.NEVER;
    }
  });

const endpoints = z
  .string()
  .default('')
  .transform((text, context): Endpoint[] => {
    try {
      return endpointsOf(text);
    } catch (error) {
      context.addIssue(error instanceof RangeError ? error.message : String(error));
      return z.NEVER;
    }
  });

/** What a service reads that opens connections for monitors or channels: the `targets` of its configuration. */
export const targetVariables = {
  /** Addresses and blocks, with commas in between, that no monitor and no channel may lead to. */
  deny: variable('TOCSIN_TARGETS_DENY', list),
  /** Addresses and blocks that they may lead to although they are denied by default: see `TargetRules`. */
  allow: variable('TOCSIN_TARGETS_ALLOW', list),
  /** The deployment's own servers that this process has no address of: `redis:6379,10.0.0.7:5432,[fd00::7]:5432,backup`. */
  own: variable('TOCSIN_TARGETS_OWN', endpoints),
};

/** Which targets an operator allows and denies; see `TargetRules`. */
export type TargetLists = Configuration<typeof targetVariables>;

/**
 * Reads hosts with their ports, with commas in between.
 * @param port of those that name none; without it all ports are meant
 * @throws RangeError that names the one that can't be read
 */
export function endpointsOf(text: string, port?: number): Endpoint[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map((part) => {
      const match = HOST.exec(part);
      const host = match?.[1] ?? match?.[2];
      const given = match?.[3] === undefined ? port : Number(match[3]);
      if (
        host === undefined ||
        (host.includes(':') && isIP(host) !== 6) ||
        (given !== undefined && (given < 1 || given > 65_535))
      ) {
        throw new RangeError(`"${part.slice(0, 60)}": not a host such as redis:6379, 10.0.0.7:5432 or [fd00::7]:5432`);
      }
      return given === undefined ? { host } : { host, port: given };
    });
}

/** `[fd00::7]:5432`, `redis:6379`, `redis`; an IPv6 address without a port needs no brackets. */
const HOST = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s/]+|[0-9a-fA-F:.]*:[0-9a-fA-F:.]*:[0-9a-fA-F:.]*))(?::(\d{1,5}))?$/;

/** The hosts of a connection string, of which some have several with commas in between. */
export function hostsOf(url: string, port: number): Endpoint[] {
  return endpointsOf(/^[a-z+]+:\/\/(?:[^@/]*@)?([^/?]+)/.exec(url)?.[1] ?? '', port);
}
