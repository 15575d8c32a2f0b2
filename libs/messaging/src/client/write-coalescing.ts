import type { Socket } from 'node:net';
import type { NatsConnection } from '@nats-io/transport-node';
import { systemClock } from '@tocsin/core';

const GAP_MS = 4;

/**
 * Collects what is written to the broker within a few milliseconds into one system call. The client writes each message
 * by itself, which at a thousand messages a second is most of what messaging costs, on both sides. An idle connection
 * is not delayed: only what follows within the gap waits for it to end.
 *
 * The client has no setting for this; this reaches into it, and changes nothing if it finds no socket. To be called
 * again after every reconnect, which opens another socket.
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
