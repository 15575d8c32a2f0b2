import { type EdgeReply, type EdgeRequest, etagsOf } from '@tocsin/edge';
import { createHash } from 'node:crypto';

/** A document that never changes while the process lives. */
export interface StaticFile {
  readonly type: string;
  readonly content: Buffer;
  readonly etag: string;
  /** What the page may load, where it is one. */
  readonly policy?: string;
}

/** Names a document by its content: every gateway of one version gives it the same ETag. */
export function staticFile(type: string, content: Buffer | string, policy?: string): StaticFile {
  const bytes = Buffer.from(content);
  const etag = `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`;
  return { type, content: bytes, etag, ...(policy === undefined ? {} : { policy }) };
}

/** Answers with a document from memory, or with 304 where the caller has it. */
export function sendStatic(file: StaticFile, request: EdgeRequest, reply: EdgeReply): void {
  void reply.headers({ etag: file.etag, 'cache-control': 'public, max-age=300' });
  if (file.policy !== undefined) void reply.header('content-security-policy', file.policy);
  const known = etagsOf(request.headers['if-none-match']);
  if (known?.includes('*') || known?.includes(file.etag)) return void reply.code(304).send();
  void reply.type(file.type).send(file.content);
}
