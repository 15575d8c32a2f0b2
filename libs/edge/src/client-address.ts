import { BlockList, isIP } from 'node:net';

/** The proxies whose X-Forwarded-For is believed. @param list addresses, or networks such as `10.0.0.0/8` */
export function proxiesOf(list: readonly string[]): BlockList {
  const proxies = new BlockList();
  for (const text of list) {
    const [address = '', bits] = text.split('/');
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    if (bits === undefined) proxies.addAddress(address, family);
    else proxies.addSubnet(address, Number(bits), family);
  }
  return proxies;
}

/**
 * Who asks: the address at the other end of the connection; where that is a proxy of ours, whom it names, and so on. What
 * stands further left in X-Forwarded-For is what anybody can have written there.
 */
export function clientAddress(peer: string, forwardedFor: string | string[] | undefined, proxies: BlockList): string {
  const named = String(forwardedFor ?? '').split(',');
  let client = plain(peer);
  while (isTrusted(client, proxies)) {
    const next = plain(named.pop()?.trim() ?? '');
    if (isIP(next) === 0) break;
    client = next;
  }
  return client;
}

/** What shares a bucket: an IPv4 address; of IPv6 the /64, of which one host has every address (RFC 6177). */
export function networkOf(address: string): string {
  if (isIP(address) !== 6) return address;
  const [head = '', tail] = address.split('%', 1)[0]!.toLowerCase().split('::');
  const front = head === '' ? [] : head.split(':');
  const back = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - front.length - back.length);
  const groups = [...front, ...Array.from({ length: zeros }, () => '0'), ...back];
  return groups
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ''))
    .join(':');
}

function isTrusted(address: string, proxies: BlockList): boolean {
  const family = isIP(address);
  return family !== 0 && proxies.check(address, family === 6 ? 'ipv6' : 'ipv4');
}

/** An IPv4 address as such, also where IPv6 carries it. */
function plain(address: string): string {
  return /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1] ?? address;
}
