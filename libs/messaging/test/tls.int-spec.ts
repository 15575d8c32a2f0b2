import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { certificate, natsServer, type TestCertificate } from '@tocsin/testing';
import { temporaryDir } from '@tocsin/testing/servers';
import { beforeAll, describe, expect, it } from 'vitest';
import { Messaging } from '../src/index.ts';
import { client, optionsFor } from './harness.ts';

let url: string;
let shown: TestCertificate;

beforeAll(async () => {
  shown = await certificate('valid');
  const dir = temporaryDir('tls');
  writeFileSync(join(dir, 'server.crt'), shown.cert);
  writeFileSync(join(dir, 'server.key'), shown.key, { mode: 0o600 });
  // Plain connections stay possible: what starts the server looks whether it answers.
  const files = `cert_file: "${join(dir, 'server.crt')}", key_file: "${join(dir, 'server.key')}"`;
  const server = await natsServer({ config: `tls { ${files} }\nallow_non_tls: true` });
  url = server.url.replace('nats://', 'tls://');
});

describe('with a certificate authority', () => {
  it('a server that it vouches for is connected to, encrypted', async () => {
    const tester = await client(url, { ca: shown.ca });
    const { socket } = (tester.connection.nats as unknown as { protocol: { transport: { socket: object } } }).protocol
      .transport;
    expect(socket).toMatchObject({ encrypted: true, authorized: true });
    expect(await tester.publish('news.x', 1, { id: 'tls' })).toMatchObject({ sequence: 1 });
  });

  it('a server that shows another certificate is not believed', async () => {
    const other = await certificate('wrong-host');
    const connecting = Messaging.connect(optionsFor(url, { service: 'tester', ca: other.ca }), { firstConnectMs: 500 });
    await expect(connecting).rejects.toMatchObject({ code: 'unavailable' });
  });
});
