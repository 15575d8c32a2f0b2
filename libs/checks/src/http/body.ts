import { CheckFailure } from '../failure.ts';
import type { Run } from '../run.ts';
import { quote } from '../message-text.ts';
import { holdBody } from './body-buffer.ts';
import { decodeText } from './charset.ts';
import { type Answer, tooLarge } from './answer-collector.ts';
import { ConcurrencyLimit } from './concurrency-limit.ts';
import { unpackers } from './unpack.ts';

const MAX_CODINGS = 3;
/** Registered codings (IANA, "HTTP Content Coding Registry") that are not read here. */
const UNREADABLE: ReadonlySet<string> = new Set([
  'aes128gcm',
  'compress',
  'x-compress',
  'dcb',
  'dcz',
  'exi',
  'pack200-gzip',
]);

/** What unpacks takes up to `maxBodyBytes`, so only so many bodies are unpacked at a time. */
const unpacking = new ConcurrencyLimit(4);

/**
 * The text of a body: unpacked within the same bound, in the character set that it says.
 * @throws CheckFailure `body` when it is too large once unpacked, or can't be unpacked
 */
export async function bodyText(run: Run, answer: Answer, maxBytes: number): Promise<string> {
  const codings = contentCodings(answer.headers.get('content-encoding'));
  let { body } = answer;
  if (codings.length > 0 && body.length > 0) {
    run.phase = 'unpacking the body';
    body = await run.waitFor(unpacking.take(() => unpackAll(answer.body, codings, maxBytes)));
    // Its text stays until all assertions are judged, which may have to wait for their turn.
    holdBody(run, body.length);
  }
  return run.work(() => decodeText(body, answer.headers.get('content-type')));
}

/**
 * The codings to take off, the last one first. A name that is not registered (`utf-8`, `none`, `aws-chunked`) is no coding:
 * it leaves the body as it is.
 */
function contentCodings(header: string | undefined): string[] {
  if (header === undefined) return [];
  const codings = header
    .split(',')
    .map((each) => each.trim().toLowerCase())
    .filter((each) => unpackers.has(each) || UNREADABLE.has(each));
  if (codings.length > MAX_CODINGS) throw new CheckFailure('body', `body: packed more than ${MAX_CODINGS} times`);
  return codings.toReversed();
}

async function unpackAll(packed: Buffer, codings: readonly string[], maxBytes: number): Promise<Buffer> {
  let body = packed;
  for (const coding of codings) body = await unpack(body, coding, maxBytes);
  return body;
}

async function unpack(packed: Buffer, coding: string, maxBytes: number): Promise<Buffer> {
  if (packed.length === 0) return packed;
  const unpacker = unpackers.get(coding);
  if (!unpacker) throw new CheckFailure('body', `body: is packed as ${quote(coding, 20)}, which this check can't read`);
  try {
    return await unpacker(packed, { maxOutputLength: Math.max(1, maxBytes) });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(maxBytes, ' once unpacked');
    throw new CheckFailure('body', `body: is not valid ${coding}`, { cause });
  }
}
