import type { Socket } from 'node:net';
import type { NatsConnection } from '@nats-io/transport-node';
import { systemClock } from '@tocsin/core';

const GAP_MS = 4;

/**
 * Collects the writes of a few milliseconds into one system call. The client writes each message by itself. At a thousand
 * messages per second that is most of the cost of messaging, on both sides. An idle connection is not delayed: only a write
 * that follows within the gap waits for its end.
 *
 * The client has no setting for this, so this uses its internals, and changes nothing if it finds no socket. Call it again after
 * every reconnect, which opens another socket.
 */
export function coalesceWrites(nats: NatsConnection): void {
  const inner = nats as unknown as { protocol?: { transport?: { socket?: Partial<Socket> } } };
  const socket = inner.protocol?.transport?.socket;
  if (socket?.write && socket.cork && socket.uncork) coalesce(socket as Socket);
}

function coalesce(socket: Socket): void {
  const write = socket.write.bind(socket) as (...args: unknown[]) => boolean;
  let corked = false;
  let sentAt = Number.NEGATIVE_INFINITY;
  const send = (): void => {
    corked = false;
    sentAt = systemClock.monotonic();
    socket.uncork();
  };
  socket.write = (...args: unknown[]): boolean => {
    if (!corked) {
      corked = true;
      socket.cork();
      const wait = sentAt + GAP_MS - systemClock.monotonic();
      if (wait > 0) setTimeout(send, wait);
      else setImmediate(send);
    }
    return write(...args);
  };
}
