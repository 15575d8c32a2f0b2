import { createServer } from 'node:http';

/**
 * The other side, in a process of its own: what is checked (`/t/<n>`, fails once it was told to) and where webhooks
 * arrive (`/sink`). One clock for both, so that a delay is a difference.
 * Talks to its parent by messages: { fail: n[] } and { watch: n } in; { failedAt: [n, ms] }, { arrived: body, at: ms } and,
 * for each request to what is watched, { hit: n, at: ms since the epoch } out.
 */
const failing = new Set<string>();
const told = new Set<string>();
const watched = new Set<string>();
const tell = (message: unknown) => process.send?.(message);

const server = createServer((request, response) => {
  if (request.url === '/sink') {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      tell({ arrived: JSON.parse(Buffer.concat(chunks).toString()) as unknown, at: performance.now() });
      response.writeHead(204).end();
    });
    return;
  }
  const name = request.url!.slice('/t/'.length);
  if (watched.has(name)) tell({ hit: name, at: Date.now() });
  if (!failing.has(name)) {
    response.writeHead(200, { 'content-type': 'text/plain', connection: 'close' }).end('ok');
    return;
  }
  if (!told.has(name)) {
    told.add(name);
    tell({ failedAt: [name, performance.now()] });
  }
  response.writeHead(503, { connection: 'close' }).end('broken');
});

process.on('message', ({ fail = [], watch }: { fail?: string[]; watch?: string }) => {
  for (const name of fail) failing.add(name);
  if (watch !== undefined) watched.add(watch);
});
process.on('disconnect', () => process.exit());
server.listen(0, '127.0.0.1', () => tell({ port: (server.address() as { port: number }).port }));
