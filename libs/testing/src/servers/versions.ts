/** A server program we need. */
export type ServerName = 'nats-server' | 'redis-server' | 'postgres';

/** The lowest version of each that Tocsin is right with; docs in infra/README.md say why. */
export const floors: Record<ServerName, string> = { 'nats-server': '2.11', 'redis-server': '6.2', postgres: '15' };

/** How each program prints its version. */
const patterns: Record<ServerName, RegExp> = {
  'nats-server': /v?(\d+(?:\.\d+)+)/,
  'redis-server': /v=(\d+(?:\.\d+)+)/,
  postgres: /PostgreSQL\)\s+(\d+(?:\.\d+)*)/,
};

/** The version in what `<server> --version` printed; undefined when there is none. */
export function parseVersion(server: ServerName, printed: string): string | undefined {
  return patterns[server].exec(printed)?.[1];
}

/** Is `version` the floor or newer? Compares number by number, so 2.9 is older than 2.11. */
export function isAtLeast(version: string, floor: string): boolean {
  const have = version.split('.').map(Number);
  const need = floor.split('.').map(Number);
  for (const [position, part] of need.entries()) {
    const own = have[position] ?? 0;
    if (own !== part) return own > part;
  }
  return true;
}
