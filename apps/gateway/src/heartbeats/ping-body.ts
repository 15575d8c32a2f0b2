import type { IncomingMessage } from 'node:http';
import { TextDecoder } from 'node:util';
import type { FastifyServer } from '@tocsin/edge';
import type { FastifyReply, FastifyRequest } from 'fastify';

/** No client can send this type: whatever it says, the body of a ping is read here. */
const PING = 'application/vnd.tocsin.ping';
/** Enough bytes for the text that is kept, in any charset. */
const KEPT_BYTES = 40_000;
/** How long the kept bytes may take: a ping counts by its address, and its text is a courtesy. */
const TEXT_MS = 10_000;
/** How much of the rest is read and dropped, so that a client that sends before it reads finds its answer. */
const DROPPED_BYTES = 64 * 1024 * 1024;
const DROPPED_MS = 30_000;

/**
 * Takes the body of a ping whatever its length and type: the beginning is its text, the rest is dropped. A ping is no
 * document, and the job whose log is long is the one that failed.
 */
export function takePings(server: FastifyServer): void {
  const bodies = new WeakMap<FastifyRequest, PingBody>();
  server.addContentTypeParser(PING, async (request: FastifyRequest, payload: IncomingMessage) => {
    const body = new PingBody(payload);
    bodies.set(request, body);
    return textOf(await body.beginning, request.raw.headers);
  });
  const asPing = async (request: FastifyRequest): Promise<void> => {
    request.headers = { 'content-type': PING };
  };
  const afterTheRest = async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    if ((await bodies.get(request)?.rest) === 'cut') void reply.header('connection', 'close');
  };
  server.addHook('onRoute', (route) => {
    if (!route.url.startsWith('/v1/heartbeats/')) return;
    route.onRequest = asPing;
    route.onSend = afterTheRest;
  });
}

/** A body that is read once: what it begins with, and how the rest ended. */
class PingBody {
  /** The first bytes, once they are there, the body is over, or they have taken too long. */
  readonly beginning: Promise<Buffer>;
  /** Settles when the body is over, or is too long or too slow to be read to its end. */
  readonly rest: Promise<'over' | 'cut'>;

  constructor(payload: IncomingMessage) {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const begun = Promise.withResolvers<void>();
    const ended = Promise.withResolvers<'over' | 'cut'>();
    const timers = [setTimeout(begun.resolve, TEXT_MS), setTimeout(() => ended.resolve('cut'), DROPPED_MS)];
    payload.on('data', (chunk: Buffer) => {
      if (bytes < KEPT_BYTES) chunks.push(chunk);
      bytes += chunk.length;
      if (bytes >= KEPT_BYTES) begun.resolve();
      if (bytes > DROPPED_BYTES) ended.resolve('cut');
    });
    for (const event of ['end', 'error', 'close']) payload.on(event, () => ended.resolve('over'));
    this.rest = ended.promise.finally(() => timers.forEach(clearTimeout));
    this.beginning = Promise.race([begun.promise, this.rest]).then(() => Buffer.concat(chunks).subarray(0, KEPT_BYTES));
  }
}

/** The text in the charset that the client names; packed bytes are no text. */
function textOf(bytes: Buffer, headers: IncomingMessage['headers']): string {
  const encoding = headers['content-encoding']?.trim().toLowerCase() ?? '';
  if (encoding !== '' && encoding !== 'identity') return '';
  // As a stream, the character that the cut goes through is left out.
  return decoderOf(headers['content-type']).decode(bytes, { stream: true });
}

function decoderOf(contentType: string | undefined): TextDecoder {
  const charset = /;\s*charset\s*=\s*"?([^";\s]+)/i.exec(contentType ?? '')?.[1];
  try {
    return new TextDecoder(charset);
  } catch {
    return new TextDecoder();
  }
}
