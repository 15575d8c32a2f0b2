import { bytes } from '../../message-text.ts';
import { closed } from '../broken-exchange.ts';
import { BadMessage, TooLargeHead } from '../message/bad-message.ts';
import { framingOf } from '../message/framing.ts';
import type { ResponseHead } from '../message/head.ts';
import { ResponseHeaders } from '../message/headers.ts';
import { MAX_CHUNKING_BYTES, MAX_HEAD_BYTES, MAX_INTERIM } from '../message/response-reader.ts';
import type { AnswerCollector } from '../answer-collector.ts';

/** What each field counts for besides its name and value (RFC 9113, section 6.5.2). */
const FIELD_BYTES = 32;
/** More fields than may stand in a head, the status among them. */
export const TOO_MANY_FIELDS = MAX_HEAD_BYTES / FIELD_BYTES + 1;
/** What frames may take beyond the body that is in them: their heads, fields, padding, and frames of no answer. */
const MAX_FRAMING_BYTES = MAX_HEAD_BYTES + MAX_CHUNKING_BYTES;

/** Reads one answer from what a stream of HTTP/2 says, within the bounds that an answer in HTTP/1 has. */
export class AnswerReader {
  /** Whether the final head is read. */
  headed = false;
  private headBytes = 0;
  private interims = 0;
  private wireBytes = 0;
  private bodyBytes = 0;
  private length = 0;

  constructor(
    private readonly method: string,
    private readonly collector: AnswerCollector,
  ) {}

  /** Counts this many bytes of frames. @throws BadMessage when they are too many beside the body */
  wire(count: number): void {
    this.wireBytes += count;
    if (this.wireBytes <= MAX_FRAMING_BYTES + 2 * this.bodyBytes) return;
    throw new BadMessage(`the frames take more than ${bytes(MAX_FRAMING_BYTES)} beside what is in them`);
  }

  /** An interim answer came. @throws BadMessage when there are too many */
  interim(fields: readonly string[]): void {
    this.collector.begin();
    this.countFields(fields);
    if (++this.interims > MAX_INTERIM) throw new BadMessage(`more than ${MAX_INTERIM} interim answers`);
  }

  /**
   * The final head came.
   * @param fields names and values in turn
   * @returns whether the body is wanted: if not, the answer is over
   * @throws BadMessage when it is too large; CheckFailure what `AnswerCollector` throws
   */
  head(fields: readonly string[]): boolean {
    this.collector.begin();
    this.countFields(fields);
    const head = readHead(fields);
    const framing = framingOf(this.method, head);
    this.headed = true;
    this.length = typeof framing === 'number' ? framing : 0;
    if (this.collector.head(head, framing) && framing !== 0) return true;
    this.collector.finish(framing === 0);
    return false;
  }

  /** @throws CheckFailure what `AnswerCollector` throws */
  body(part: Buffer): void {
    this.bodyBytes += part.length;
    this.collector.body(part);
  }

  /** The stream ended well. @throws CheckFailure `closed` when that is before the answer's length */
  end(): void {
    if (this.bodyBytes < this.length) throw closed(true);
    this.collector.finish(true);
  }

  private countFields(fields: readonly string[]): void {
    for (let i = 0; i < fields.length; i += 2)
      this.headBytes += fields[i]!.length + fields[i + 1]!.length + FIELD_BYTES;
    if (this.headBytes > MAX_HEAD_BYTES) throw new TooLargeHead(MAX_HEAD_BYTES);
  }
}

function readHead(fields: readonly string[]): ResponseHead {
  const head = { status: 0, headers: new ResponseHeaders() };
  for (let i = 0; i < fields.length; i += 2) {
    const [name, value] = [fields[i]!, fields[i + 1]!];
    if (name === ':status') head.status = Number(value);
    else head.headers.add(name, value);
  }
  return head;
}
