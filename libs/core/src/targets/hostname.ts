import { isIP, isIPv6 } from 'node:net';
import { domainToASCII } from 'node:url';

// Each label ends at a dot, so there is one way only to match: an expression with more of them could take for ever.
const LABEL = '[a-zA-Z0-9_](?:[a-zA-Z0-9_-]{0,61}[a-zA-Z0-9_])?';
const NAME = new RegExp(`^${LABEL}(?:\\.${LABEL})*\\.?$`);
const LONGEST = 253;

/**
 * A host as it is asked for: an address as it stands, a name with other letters than ASCII in its ASCII form
 * (`bücher.example` is `xn--bcher-kva.example`, UTS 46).
 * @returns undefined for what is neither a name nor an address
 */
export function asciiHost(host: string): string | undefined {
  if (host.includes(':')) return isIPv6(host) ? host : undefined;
  if (isIP(host) !== 0) return host;
  // oxlint-disable-next-line no-control-regex -- all of ASCII is what it looks for
  const ascii = /^[\u0000-\u007f]*$/.test(host) ? host : domainToASCII(host);
  return ascii.length <= LONGEST && NAME.test(ascii) ? ascii : undefined;
}
