import { isIP } from 'node:net';

/** An IP address as a number: 32 bits of IPv4, 128 of IPv6. */
export interface Ip {
  family: 4 | 6;
  bits: bigint;
}

export const WIDTH = { 4: 32, 6: 128 } as const;

/** IPv6 prefixes that carry an IPv4 address in their last 32 bits: mapped (RFC 4291, 2.5.5.2) and NAT64 (RFC 6052). */
const CARRIERS: ReadonlySet<bigint> = new Set([0xffffn, 0x64_ff9b_0000_0000_0000_0000n]);

/**
 * Reads an IP address. An IPv6 address that only carries an IPv4 address is read as that one, since that is who is
 * reached by it. A zone (`fe80::1%eth0`) is left out.
 */
export function parseIp(text: string): Ip | undefined {
  const [address = ''] = text.split('%', 1);
  const family = isIP(address);
  if (family === 4) return { family, bits: ofFour(address) };
  if (family !== 6) return undefined;
  const bits = ofSix(address);
  return CARRIERS.has(bits >> 32n) ? { family: 4, bits: bits & 0xffff_ffffn } : { family, bits };
}

function ofFour(address: string): bigint {
  return address.split('.').reduce((bits, byte) => (bits << 8n) | BigInt(byte), 0n);
}

function ofSix(address: string): bigint {
  const dotted = address.includes('.') ? address.slice(address.lastIndexOf(':') + 1) : undefined;
  const plain = dotted === undefined ? address : address.slice(0, -dotted.length) + groupsOf(ofFour(dotted));
  const [head = '', tail] = plain.split('::');
  const front = head === '' ? [] : head.split(':');
  const back = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = Array.from({ length: 8 - front.length - back.length }, () => '0');
  return [...front, ...zeros, ...back].reduce((bits, group) => (bits << 16n) | BigInt(`0x${group}`), 0n);
}

function groupsOf(bits: bigint): string {
  return `${(bits >> 16n).toString(16)}:${(bits & 0xffffn).toString(16)}`;
}
