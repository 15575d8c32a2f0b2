import { randomBytes } from 'node:crypto';

/** A password that needs no quotes anywhere: in addresses, in SQL, in any server's configuration. */
export function password(): string {
  return randomBytes(24).toString('hex');
}

/** One for each name. */
export function passwordsFor<T extends string>(names: readonly T[]): Record<T, string> {
  return Object.fromEntries(names.map((name) => [name, password()])) as Record<T, string>;
}
