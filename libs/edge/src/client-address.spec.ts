import { describe, expect, it } from 'vitest';
import { clientAddress, networkOf, proxiesOf } from './client-address.ts';

const proxies = proxiesOf(['10.0.0.1', '10.1.0.0/16', 'fd00::/8']);

describe('who asks', () => {
  it.each([
    ['nobody but proxies is believed', '203.0.113.7', '198.51.100.1', '203.0.113.7'],
    ['a proxy is, of whom it names', '10.0.0.1', '198.51.100.1', '198.51.100.1'],
    ['a proxy is that IPv6 carries', '::ffff:10.0.0.1', '198.51.100.1', '198.51.100.1'],
    ['of several the one that the last proxy names', '10.0.0.1', '1.1.1.1, 198.51.100.1', '198.51.100.1'],
    ['proxies behind one another are followed', '10.0.0.1', '1.1.1.1, 198.51.100.1, fd00::5, 10.1.2.3', '198.51.100.1'],
    ['what is no address is not followed', '10.0.0.1', '198.51.100.1, unknown', '10.0.0.1'],
    ['a proxy that names nobody asks itself', '10.0.0.1', undefined, '10.0.0.1'],
    ['an address of the same network is no proxy', '10.0.0.2', '198.51.100.1', '10.0.0.2'],
    ['a list that comes as several headers is one', '10.0.0.1', ['1.1.1.1', '198.51.100.1'], '198.51.100.1'],
  ] as const)('%s', (_rule, peer, forwarded, client) => {
    expect(clientAddress(peer, forwarded as string | undefined, proxies)).toBe(client);
  });
});

describe('what shares a bucket', () => {
  it.each([
    ['203.0.113.7', '203.0.113.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
    ['2001:DB8:1:2::9', '2001:db8:1:2'],
    ['2001:db8::1', '2001:db8:0:0'],
    ['2001:0db8:0000:0000::1', '2001:db8:0:0'],
    ['::1', '0:0:0:0'],
    ['fe80::1%eth0', 'fe80:0:0:0'],
  ])('%s is of %s', (address, network) => {
    expect(networkOf(address)).toBe(network);
  });
});
