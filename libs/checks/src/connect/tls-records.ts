import type { TLSSocket } from 'node:tls';

const LOOK_EVERY_MS = 100;
const MOST_BYTES = 262_144;
/** A record has at least one byte of content, and takes 22 beside it (RFC 8446, section 5.2). */
const BYTES_OF_SMALLEST_RECORD = 23;

/** Node says of a TLS socket what it has decrypted; its handle's own handle has what came off the network. */
interface Handles {
  _handle?: { _parent?: { bytesRead?: number } | null } | null;
}

/**
 * Watches what a server sends beside its answer: session tickets and changes of keys (RFC 8446, section 4.6) may come
 * without end, each costs a prober as much as a record with content, and none of them reaches a listener.
 * @param tooMuch called once, when that is more than 256 KiB and more than records of the answer can take
 * @returns ends the watch
 */
export function watchTlsRecords(socket: TLSSocket, tooMuch: () => void): () => void {
  const wire = (socket as Handles)._handle?._parent;
  const before = wire?.bytesRead ?? 0;
  const timer = setInterval(() => {
    if ((wire?.bytesRead ?? 0) - before <= MOST_BYTES + BYTES_OF_SMALLEST_RECORD * socket.bytesRead) return;
    clearInterval(timer);
    tooMuch();
  }, LOOK_EVERY_MS);
  return () => clearInterval(timer);
}
