import { promisify, TextDecoder } from 'node:util';
import { brotliDecompress, gunzip, inflate, inflateRaw, zstdDecompress } from 'node:zlib';
import { CheckFailure } from '../failure.ts';
import { quote } from '../words.ts';
import { tooLarge, type Answer } from './exchange.ts';

type Unpack = (packed: Buffer, options: { maxOutputLength: number }) => Promise<Buffer>;

const unpackers: Record<string, Unpack> = {
  gzip: promisify(gunzip),
  'x-gzip': promisify(gunzip),
  br: promisify(brotliDecompress),
  zstd: promisify(zstdDecompress),
  // Some servers send the bare stream under this name, and browsers take both.
  deflate: (packed, options) =>
    ((packed[0]! & 0x0f) === 8 ? promisify(inflate) : promisify(inflateRaw))(packed, options),
};

const MAX_ENCODINGS = 3;

/**
 * The text of a body: unpacked within the same bound, in the character set it names (UTF-8 otherwise). Bytes that are
 * not text become U+FFFD, so they neither match what is expected nor break the check.
 * @throws CheckFailure `body` when it is too large once unpacked, or can't be unpacked
 */
export async function bodyText(answer: Answer, maxBytes: number): Promise<string> {
  let body = answer.body;
  for (const encoding of encodings(answer.headers['content-encoding'])) {
    body = await unpack(body, encoding, maxBytes);
  }
  return decoder(answer.headers['content-type']).decode(body);
}

function encodings(header: string | undefined): string[] {
  if (header === undefined) return [];
  const list = header
    .split(',')
    .map((each) => each.trim().toLowerCase())
    .filter((each) => each !== '' && each !== 'identity');
  if (list.length > MAX_ENCODINGS) throw new CheckFailure('body', `body: packed more than ${MAX_ENCODINGS} times`);
  return list.toReversed();
}

async function unpack(packed: Buffer, encoding: string, maxBytes: number): Promise<Buffer> {
  if (packed.length === 0) return packed;
  const unpacker = Object.hasOwn(unpackers, encoding) ? unpackers[encoding] : undefined;
  if (!unpacker) throw new CheckFailure('body', `body: unknown content encoding ${quote(encoding, 20)}`);
  try {
    return await unpacker(packed, { maxOutputLength: Math.max(1, maxBytes) });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(maxBytes, ' once unpacked');
    throw new CheckFailure('body', `body: is not valid ${encoding}`, { cause });
  }
}

function decoder(contentType: string | undefined): TextDecoder {
  const label = /;\s*charset\s*=\s*"?([\w.:-]{1,40})/i.exec(contentType ?? '')?.[1];
  if (label === undefined) return utf8;
  try {
    return new TextDecoder(label);
  } catch {
    return utf8; // a character set that nobody knows
  }
}

const utf8 = new TextDecoder();
