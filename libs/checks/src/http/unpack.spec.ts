import {
  brotliCompressSync,
  constants,
  createBrotliCompress,
  createDeflateRaw,
  createGzip,
  deflateRawSync,
  deflateSync,
  gzipSync,
  zstdCompressSync,
} from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { unpackers } from './unpack.ts';

const TEXT = 'hello world, hello again and again and again';

async function unpacked(coding: string, packed: Buffer): Promise<string> {
  try {
    return (await unpackers.get(coding)!(packed, { maxOutputLength: 1_000 })).toString();
  } catch (error) {
    return (error as NodeJS.ErrnoException).code!;
  }
}

/** What was flushed and not ended, as by a server that is killed or forgets to. */
function flushed(
  packer: ReturnType<typeof createGzip | typeof createBrotliCompress | typeof createDeflateRaw>,
): Promise<Buffer> {
  const parts: Buffer[] = [];
  packer.on('data', (part: Buffer) => parts.push(part));
  packer.write(TEXT);
  return new Promise((resolve) => packer.flush(() => resolve(Buffer.concat(parts))));
}

const checksummed = { params: { [constants.ZSTD_c_checksumFlag]: 1 } };
const whole: [string, Buffer, endBytes: number][] = [
  ['gzip', gzipSync(TEXT), 8],
  ['x-gzip', gzipSync(TEXT), 8],
  ['deflate', deflateSync(TEXT), 4],
  ['br', brotliCompressSync('hello world'), 1],
  ['zstd', zstdCompressSync(TEXT, checksummed), 4],
];

describe.each(whole)('%s', (coding, packed, endBytes) => {
  const text = coding === 'br' ? 'hello world' : TEXT;
  test('is unpacked, whole or with its end cut off', async () => {
    for (let cut = 0; cut <= endBytes; cut++) {
      expect([cut, await unpacked(coding, packed.subarray(0, packed.length - cut))]).toEqual([cut, text]);
    }
  });

  test('is not unpacked in part', async () => {
    for (let length = 1; length < packed.length - endBytes; length++) {
      expect(await unpacked(coding, packed.subarray(0, length))).toMatch(/^(Z_|ERR_|ZSTD_)/);
    }
  });
});

test.each([
  ['gzip', () => createGzip()],
  ['deflate', () => createDeflateRaw()],
  ['br', () => createBrotliCompress()],
])('%s that was flushed and not ended is unpacked', async (coding, packer) => {
  expect(await unpacked(coding, await flushed(packer()))).toBe(TEXT);
});

test('the fields of a gzip head are passed over where its end is cut off', async () => {
  const packed = gzipSync(TEXT);
  const head = Buffer.from(packed.subarray(0, 10));
  head[3] = 0x04 | 0x08 | 0x10; // extra, name, comment
  const fields = Buffer.concat([Buffer.of(3, 0, 1, 2, 3), Buffer.from('name\0comment\0')]);
  expect(await unpacked('gzip', Buffer.concat([head, fields, packed.subarray(10, -8)]))).toBe(TEXT);
});

test('damage in the midst is damage', async () => {
  for (const [coding, packed] of whole) {
    if (coding === 'br') continue; // it has no checksum
    const damaged = Buffer.from(packed);
    damaged.fill(0xff, Math.floor(packed.length / 2), Math.floor(packed.length / 2) + 4);
    expect(await unpacked(coding, damaged)).toMatch(/^(Z_|ERR_|ZSTD_)/);
  }
});

test('raw deflate under the name of deflate is unpacked', async () => {
  expect(await unpacked('deflate', deflateRawSync(TEXT))).toBe(TEXT);
});

test('what unpacks to more than its bound is stopped there, with its end or without', async () => {
  const bomb = gzipSync(Buffer.alloc(100_000));
  expect(await unpacked('gzip', bomb)).toBe('ERR_BUFFER_TOO_LARGE');
  expect(await unpacked('gzip', bomb.subarray(0, -8))).toBe('ERR_BUFFER_TOO_LARGE');
});
