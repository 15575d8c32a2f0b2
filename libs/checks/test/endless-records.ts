import { createCipheriv, createHmac } from 'node:crypto';
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';

/** Types of handshake messages, and of what a record holds (RFC 8446, sections 4 and 5.1). */
const TICKET = Buffer.of(4, 0, 0, 15, 0, 0, 14, 16, 1, 2, 3, 4, 1, 0, 0, 1, 7, 0, 0);
const KEY_UPDATE = Buffer.of(24, 0, 0, 1, 0);
const HANDSHAKE = Buffer.of(22);
/** Node's server has sent so many records under these keys: its own two tickets, and the beginning. */
const SENT_BEFORE = 3;
const BEGINNING = 'HTTP/1.1 200 OK\r\n';
const AT_ONCE = 500;

export type Nothing = 'tickets' | 'key updates';

/** Speaks TLS 1.3 on a socket until it is asked something, begins to answer, and then sends records that hold nothing for whoever asked. */
export function sendNothing(raw: Socket, what: Nothing, o: { key: string; cert: string }): void {
  let secret: Buffer | undefined;
  let taken = false;
  const wire = new Duplex({
    read: () => undefined,
    write: (chunk: Buffer, _, written) => {
      if (!taken) raw.write(chunk);
      written();
    },
  });
  raw.on('data', (chunk) => wire.push(chunk));
  const tls = new TLSSocket(wire, { isServer: true, ...o, minVersion: 'TLSv1.3', ciphers: 'TLS_AES_128_GCM_SHA256' });
  tls.on('error', () => undefined);
  tls.on('keylog', (line: Buffer) => {
    const [, hex] = /^SERVER_TRAFFIC_SECRET_0 \S+ (\S+)/.exec(line.toString()) ?? [];
    if (hex !== undefined) secret = Buffer.from(hex, 'hex');
  });
  const begin = (): void => {
    taken = true;
    const records = recordsOf(what, secret!);
    const go = (): void => {
      if (!raw.writable) return;
      raw.write(Buffer.concat(Array.from({ length: AT_ONCE }, () => records.next().value)), () => setImmediate(go));
    };
    go();
  };
  tls.once('data', () => tls.write(BEGINNING, begin));
}

function* recordsOf(what: Nothing, first: Buffer): Generator<Buffer, never> {
  let secret = first;
  for (let seal = sealer(secret, SENT_BEFORE); ;) {
    if (what === 'tickets') yield seal(Buffer.concat([TICKET, HANDSHAKE]));
    else {
      yield seal(Buffer.concat([KEY_UPDATE, HANDSHAKE]));
      secret = derived(secret, 'traffic upd', 32);
      seal = sealer(secret, 0);
    }
  }
}

/** Seals records under the keys of a traffic secret (RFC 8446, sections 5.2, 5.3 and 7.3). */
function sealer(secret: Buffer, from: number): (content: Buffer) => Buffer {
  const [key, iv] = [derived(secret, 'key', 16), derived(secret, 'iv', 12)];
  let sequence = from;
  return (content) => {
    const nonce = Buffer.from(iv);
    nonce.writeUInt32BE((nonce.readUInt32BE(8) ^ sequence++) >>> 0, 8);
    const head = Buffer.of(23, 3, 3, 0, content.length + 16);
    const cipher = createCipheriv('aes-128-gcm', key, nonce).setAAD(head);
    return Buffer.concat([head, cipher.update(content), cipher.final(), cipher.getAuthTag()]);
  };
}

/** HKDF-Expand-Label (RFC 8446, section 7.1) of at most one block. */
function derived(secret: Buffer, label: string, length: number): Buffer {
  const name = Buffer.from(`tls13 ${label}`);
  const info = Buffer.concat([Buffer.of(0, length, name.length), name, Buffer.of(0, 1)]);
  return createHmac('sha256', secret).update(info).digest().subarray(0, length);
}
