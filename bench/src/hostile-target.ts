import { createServer, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';

/**
 * A server that keeps whoever asks it busy, in a process of its own: `/<n>` is answered in the n-th of these ways, and again
 * from the first. Tells its parent its port and how many ways it has.
 */
const OK = 'HTTP/1.1 200 OK\r\n';
const CHUNKED = `${OK}Transfer-Encoding: chunked\r\n\r\n`;
const BLOCK = Buffer.alloc(65_536, 'a');
const JSON_BODY = JSON.stringify(nested(12));
const BOMB = gzipSync(Buffer.alloc(900_000));
const REPEATED = 'ab'.repeat(400_000);

const ways: readonly ((socket: Socket) => void)[] = [
  () => undefined, // takes the request, and says nothing
  pour('', Buffer.from('HTTP/1.1 102 x\r\n\r\n'.repeat(1_000))),
  drip('', 'HTTP/1.1 102 x\r\n\r\n'),
  pour(CHUNKED, Buffer.from('1\r\nx\r\n'.repeat(10_000))),
  drip(CHUNKED, '1\r\nx\r\n'),
  pour(`${CHUNKED}5;`, BLOCK),
  pour(`${CHUNKED}0\r\n`, Buffer.from('a: b\r\n'.repeat(10_000))),
  pour(`${OK}a: `, BLOCK),
  drip(OK, 'a'),
  pour(`${OK}\r\n`, BLOCK),
  drip(`${OK}\r\n`, 'a'),
  whole(Buffer.concat([Buffer.from(`${OK}Content-Encoding: gzip\r\n\r\n`), BOMB])),
  whole(Buffer.from(`${OK}Content-Type: application/json\r\n\r\n${JSON_BODY}`)),
  whole(Buffer.from(`${OK}\r\n${REPEATED}`)),
];

/** Writes as fast as it is read, for as long as it is read. */
function pour(head: string, block: Buffer) {
  return (socket: Socket): void => {
    socket.write(head);
    const go = (): void => {
      while (socket.writable && socket.write(block));
    };
    socket.on('drain', go);
    go();
  };
}

/** Writes one small piece a millisecond, each in a packet. */
function drip(head: string, piece: string) {
  return (socket: Socket): void => {
    socket.setNoDelay(true).write(head);
    const timer = setInterval(() => socket.write(piece), 1);
    socket.once('close', () => clearInterval(timer));
  };
}

function whole(answer: Buffer) {
  return (socket: Socket): void => void socket.end(answer);
}

function nested(depth: number): unknown {
  return depth === 0 ? 1 : { a: nested(depth - 1), b: nested(depth - 1) };
}

const server = createServer((socket) => {
  socket.on('error', () => undefined);
  socket.once('data', (request) => {
    const [, way] = /^GET \/(\d+) /.exec(request.toString('latin1')) ?? [];
    ways[Number(way) % ways.length]!(socket);
    socket.resume();
  });
});
process.on('disconnect', () => process.exit());
server.listen(0, '127.0.0.1', () => process.send!({ port: (server.address() as { port: number }).port }));
