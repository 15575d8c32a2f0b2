import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { once } from 'node:events';
import { expect, onTestFinished, test } from 'vitest';
import { ReadThrottle } from './read-throttle.ts';

/** Reads for a time what a server writes piece by piece, each in a packet of its own. */
async function read(
  piece: string,
  ms: number,
): Promise<{ crumbsRead: number; bytes: number; sent: number; tookMs: number }> {
  let sent = 0;
  const server = createServer((socket: Socket) => {
    const next = (): void => {
      if (socket.writable) socket.write(piece, () => setImmediate(next));
      sent += piece.length;
    };
    socket.on('error', () => undefined).setNoDelay(true);
    next();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  await once(socket, 'connect');
  const throttle = new ReadThrottle(socket);
  let [crumbsRead, bytes] = [0, 0];
  socket.on('data', (data) => {
    // What gathered while this process had no time may be no crumb any more.
    if (data.length < 1_024) crumbsRead += 1;
    bytes += data.length;
    throttle.took(data.length);
  });
  const since = performance.now();
  await new Promise((resolve) => setTimeout(resolve, ms));
  const tookMs = performance.now() - since;
  throttle.stop();
  return { crumbsRead, bytes, sent, tookMs };
}

test('a target that answers byte by byte is read a hundred times a second, after the first few', async () => {
  const { crumbsRead, bytes, sent, tookMs } = await read('x', 500);
  expect(sent).toBeGreaterThan(200);
  // A timer may come up to a millisecond early.
  expect(crumbsRead).toBeLessThanOrEqual(32 + tookMs / 9 + 1);
  // Each read takes all that has come: what waits is no more than came in the last pause.
  expect(bytes).toBeGreaterThan(sent / 2);
});

test('large pieces are read as they come', () => {
  let pauses = 0;
  const throttle = new ReadThrottle({ pause: () => (pauses += 1) } as unknown as Socket);
  for (let reads = 0; reads < 1_000; reads += 1) throttle.took(1_024);
  expect(pauses).toBe(0);
});
