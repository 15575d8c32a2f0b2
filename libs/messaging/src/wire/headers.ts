import type { MsgHdrs } from '@nats-io/transport-node';

const BREAK = /[\r\n]/;
const NAME = /^[\x21-\x39\x3b-\x7e]+$/;
const encoder = new TextEncoder();

/**
 * Headers to send, encoded with one string concatenation. The client's own header map re-validates and re-canonicalises
 * every key on every set, which cost more than the rest of a publish.
 */
export class OutgoingHeaders {
  private text = 'NATS/1.0\r\n';

  /** Adds one header. A line break in the value would let a caller forge further headers, so it is refused. */
  set(name: string, value: string): this {
    if (BREAK.test(value)) throw new TypeError(`Header ${name} has a line break in its value. Remove it.`);
    if (!NAME.test(name))
      throw new TypeError(`"${name.slice(0, 40)}" is no header name: use visible ASCII without ":".`);
    this.text += `${name}: ${value}\r\n`;
    return this;
  }

  setAll(headers: Readonly<Record<string, string>> | undefined): this {
    if (headers) for (const name in headers) this.set(name, headers[name] as string);
    return this;
  }

  encode(): Uint8Array {
    return encoder.encode(`${this.text}\r\n`);
  }

  /** The client only ever calls `encode` on headers that it sends. */
  asNats(): MsgHdrs {
    return this as unknown as MsgHdrs;
  }
}

/** Received headers as a plain record: the first value of each name. */
export function headerRecord(headers: MsgHdrs | undefined): Record<string, string> {
  const record: Record<string, string> = {};
  if (headers) for (const [name, values] of headers) record[name] = values[0] ?? '';
  return record;
}
