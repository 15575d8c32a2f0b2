import { BadMessage, TooLargeHead } from '../message/bad-message.ts';
import type { ResponseHead } from '../message/head.ts';
import { ResponseHeaders } from '../message/headers.ts';
import { MAX_HEAD_BYTES, MAX_INTERIM } from '../message/response-reader.ts';

/** What each field counts for besides its name and value (RFC 9113, section 6.5.2). */
const FIELD_BYTES = 32;

/** More fields than may stand in a head, the status among them. */
export const TOO_MANY_FIELDS = MAX_HEAD_BYTES / FIELD_BYTES + 1;

/** Reads the heads of one answer, within the bounds that an answer in HTTP/1 has. */
export class ResponseHeads {
  private bytes = 0;
  private interim = 0;

  /** @throws BadMessage when there are too many */
  skipInterim(fields: readonly string[]): void {
    this.count(fields);
    if (++this.interim > MAX_INTERIM) throw new BadMessage(`more than ${MAX_INTERIM} interim answers`);
  }

  /**
   * The last head.
   * @param fields names and values in turn, the status first
   * @throws BadMessage when it is too large
   */
  last(fields: readonly string[]): ResponseHead {
    this.count(fields);
    const head: ResponseHead = { status: 0, headers: new ResponseHeaders() };
    for (let i = 0; i < fields.length; i += 2) {
      if (fields[i] === ':status') head.status = Number(fields[i + 1]);
      else head.headers.add(fields[i]!, fields[i + 1]!);
    }
    return head;
  }

  private count(fields: readonly string[]): void {
    for (let i = 0; i < fields.length; i += 2) this.bytes += fields[i]!.length + fields[i + 1]!.length + FIELD_BYTES;
    if (this.bytes > MAX_HEAD_BYTES) throw new TooLargeHead(MAX_HEAD_BYTES);
  }
}
