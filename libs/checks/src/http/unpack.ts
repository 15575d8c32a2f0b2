import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate, inflateRaw, zstdDecompress } from 'node:zlib';

/**
 * Unpacks a whole body.
 * @throws Error with `ERR_BUFFER_TOO_LARGE`, with `Z_BUF_ERROR` when it ends too early, with other codes when it is damaged
 */
export type Unpack = (packed: Buffer, options: { maxOutputLength: number }) => Promise<Buffer>;

const plain = {
  gzip: promisify(gunzip),
  zlib: promisify(inflate),
  raw: promisify(inflateRaw),
  br: promisify(brotliDecompress),
  zstd: promisify(zstdDecompress),
};

/**
 * The codings that can be read, by the names of the IANA registry. Servers that break off after the last of the data, and
 * before what marks or checks its end, are read by browsers and so here. Data that break off are not: part of a page would
 * be taken for all of it.
 */
export const unpackers: ReadonlyMap<string, Unpack> = new Map<string, Unpack>([
  ['gzip', unpackGzip],
  ['x-gzip', unpackGzip],
  ['deflate', unpackDeflate],
  ['br', withMendedEnd(plain.br, (packed) => Buffer.concat([packed, EMPTY_LAST_METABLOCK]))],
  ['zstd', withMendedEnd(plain.zstd, withoutChecksum)],
]);

/** RFC 7932, section 9.2: ISLAST and ISLASTEMPTY, which is all that a stream lacks that was flushed and not ended. */
const EMPTY_LAST_METABLOCK = Buffer.of(0x03);
/** RFC 1951, section 3.2.6: a last block with nothing in it. */
const EMPTY_LAST_BLOCK = Buffer.of(0x03, 0x00);
/** What a flush leaves at the end of a deflate stream: an empty stored block (RFC 1951, section 3.2.4). */
const FLUSHED = Buffer.of(0x00, 0x00, 0xff, 0xff);

function unpackGzip(packed: Buffer, options: { maxOutputLength: number }): Promise<Buffer> {
  return withMendedEnd(plain.gzip, (cut) => cut.subarray(gzipHeadBytes(cut)), unpackRaw)(packed, options);
}

/** Some servers send the bare stream under this name, and browsers take both. */
function unpackDeflate(packed: Buffer, options: { maxOutputLength: number }): Promise<Buffer> {
  if ((packed[0]! & 0x0f) !== 8) return unpackRaw(packed, options);
  return withMendedEnd(plain.zlib, (cut) => cut.subarray(2), unpackRaw)(packed, options);
}

/** A deflate stream, whose last block says that it is; or that was flushed, and so is whole but for that block. */
function unpackRaw(packed: Buffer, options: { maxOutputLength: number }): Promise<Buffer> {
  const flushed = packed.subarray(-FLUSHED.length).equals(FLUSHED);
  return plain.raw(flushed ? Buffer.concat([packed, EMPTY_LAST_BLOCK]) : packed, options);
}

/** Unpacks what ends too early once more, by `again`, with its end mended. */
function withMendedEnd(unpack: Unpack, mend: (packed: Buffer) => Buffer, again = unpack): Unpack {
  return async (packed, options) => {
    try {
      return await unpack(packed, options);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'Z_BUF_ERROR') throw error;
      return again(mend(packed), options);
    }
  };
}

/** The length of a gzip member's head (RFC 1952, section 2.3). One that is cut off itself is longer than the body. */
function gzipHeadBytes(packed: Buffer): number {
  const flags = packed[3] ?? 0;
  let at = 10;
  if (flags & 0x04) at += 2 + (packed[at] ?? 0) + 256 * (packed[at + 1] ?? 0);
  for (const flag of [0x08, 0x10]) if (flags & flag) at = zeroFrom(packed, at) + 1;
  return flags & 0x02 ? at + 2 : at;
}

function zeroFrom(packed: Buffer, from: number): number {
  const at = packed.indexOf(0, from);
  return at < 0 ? packed.length : at;
}

/** A frame that says that no checksum follows its last block (RFC 8878, section 3.1.1.1.1). */
function withoutChecksum(packed: Buffer): Buffer {
  const frame = Buffer.from(packed);
  frame[4] = (frame[4] ?? 0) & ~0x04;
  return frame;
}
