import { TextDecoder } from 'node:util';
import { metaCharset } from './meta-charset.ts';

/** Where a document may say what it is written in: at its beginning (WHATWG HTML, "prescan a byte stream"). */
const PRESCAN_BYTES = 1_024;
const MARKUP = /^(text\/html|application\/xhtml\+xml|text\/xml|application\/xml|[\w.+/-]+\+xml)$/;

/**
 * The text of a body in its character set, by the order that browsers keep (WHATWG HTML, "determining the character
 * encoding"): byte order mark, header, the document's own word where it is markup, else UTF-8. A set that nobody knows
 * counts as none. Bytes that are not text become U+FFFD, so they neither match what is expected nor break the check.
 */
export function decodeText(body: Buffer, contentType: string | undefined): string {
  return decoderFor(body, contentType ?? '').decode(body);
}

function decoderFor(body: Buffer, contentType: string): TextDecoder {
  return (
    decoderOf(byteOrderMark(body)) ??
    decoderOf(/;\s*charset\s*=\s*["']?([\w.:-]{1,40})/i.exec(contentType)?.[1]) ??
    (mayBeMarkup(contentType) ? metaCharset(body.toString('latin1', 0, PRESCAN_BYTES), decoderOf) : undefined) ??
    utf8
  );
}

function mayBeMarkup(contentType: string): boolean {
  const type = contentType.split(';', 1)[0]!.trim().toLowerCase();
  return type === '' || MARKUP.test(type);
}

function byteOrderMark(body: Buffer): string | undefined {
  if (body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf) return 'utf-8';
  if (body[0] === 0xfe && body[1] === 0xff) return 'utf-16be';
  return body[0] === 0xff && body[1] === 0xfe ? 'utf-16le' : undefined;
}

function decoderOf(label: string | undefined): TextDecoder | undefined {
  if (label === undefined) return undefined;
  try {
    return new TextDecoder(label);
  } catch {
    return undefined;
  }
}

const utf8 = new TextDecoder();
