import { bytes } from '../../message-text.ts';
import { BadMessage, TooLargeHead } from './bad-message.ts';
import { chunkSize } from './chunk-size.ts';
import { type Framing, framingOf } from './framing.ts';
import { FieldReader, readStatusLine, type ResponseHead } from './head.ts';

/** What whoever reads an answer is told, in this order. */
export interface Reading {
  /** The final head. @returns whether the body is wanted: if not, the answer is over */
  head(head: ResponseHead, framing: Framing): boolean;
  /** Some bytes of the body, never none. They are a view: copy what is kept. */
  body(part: Buffer): void;
}

/** A head may be so long, with the interim answers before it. */
export const MAX_HEAD_BYTES = 65_536;
/** 100, 102 and 103 come once or, while something takes long, every few seconds. */
export const MAX_INTERIM = 64;
/** What chunks may take beyond the body that is in them: sizes, extensions, line ends, the trailer. */
export const MAX_CHUNKING_BYTES = 262_144;

/** Which line is next, or which bytes of a body; or that the answer is over. */
type Where = LineWhere | 'sized' | 'close' | 'chunk' | 'over';
type LineWhere = 'status' | 'fields' | 'size' | 'chunk end' | 'trailer';

/**
 * Reads one answer of HTTP/1 from the bytes of a connection, as they come: the same bytes give the same answer however
 * they are cut. It takes what user agents take (lines that end in LF, folds, odd bytes in values), and refuses what leaves
 * open where the answer ends. It holds one line at most, and takes time linear in the bytes.
 */
export class ResponseReader {
  private where: Where = 'status';
  private partial = '';
  private headBytes = 0;
  private interim = 0;
  private blanks = 0;
  private status = 0;
  private fields = new FieldReader();
  /** Bytes to come of a sized body or of a chunk. */
  private left = 0;
  private bodyBytes = 0;
  private chunkingBytes = 0;

  /**
   * @param strict whether a fault of the head is a fault of the answer. It is none for whoever wants its status alone: a
   * field that is none is then passed over, and a body whose length is none ends with the connection
   */
  constructor(
    private readonly method: string,
    private readonly on: Reading,
    private readonly strict = true,
  ) {}

  /** Whether the connection's end would end the answer well. */
  get endsWithConnection(): boolean {
    return this.where === 'close' || this.where === 'over';
  }

  /**
   * Takes the next bytes. What comes after the end of the answer is not looked at.
   * @returns whether the answer is over
   * @throws BadMessage when they are no answer in HTTP/1, or one beyond its bounds
   */
  push(data: Buffer): boolean {
    let at = 0;
    while (at < data.length) {
      const where = this.where;
      if (where === 'over') break;
      at =
        where === 'sized' || where === 'close' || where === 'chunk' ? this.body(data, at) : this.line(data, at, where);
    }
    return this.where === 'over';
  }

  private body(data: Buffer, from: number): number {
    const to = this.where === 'close' ? data.length : Math.min(data.length, from + this.left);
    this.bodyBytes += to - from;
    this.on.body(from === 0 && to === data.length ? data : data.subarray(from, to));
    if (this.where === 'close') return to;
    this.left -= to - from;
    if (this.left === 0) this.where = this.where === 'sized' ? 'over' : 'chunk end';
    return to;
  }

  /** A line ends in LF, and a CR before it belongs to its end (RFC 9112, section 2.2). */
  private line(data: Buffer, from: number, where: LineWhere): number {
    const lf = data.indexOf(0x0a, from);
    const to = lf < 0 ? data.length : lf;
    this.count(to - from + (lf < 0 ? 0 : 1));
    const text = data.toString('latin1', from, to);
    if (lf < 0) {
      this.partial += text;
      return to;
    }
    const line = this.partial === '' ? text : this.partial + text;
    this.partial = '';
    this.take(where, line.endsWith('\r') ? line.slice(0, -1) : line);
    return lf + 1;
  }

  private count(read: number): void {
    if (this.where === 'status' || this.where === 'fields') {
      this.headBytes += read;
      if (this.headBytes > MAX_HEAD_BYTES) throw new TooLargeHead(MAX_HEAD_BYTES);
    } else {
      this.chunkingBytes += read;
      if (this.chunkingBytes > MAX_CHUNKING_BYTES + this.bodyBytes) {
        throw new BadMessage(`the chunks take more than ${bytes(MAX_CHUNKING_BYTES)} beside what is in them`);
      }
    }
  }

  private take(where: LineWhere, line: string): void {
    switch (where) {
      case 'status':
        if (line === '' && this.blanks++ === 0) return; // one empty line, left over by whatever came before
        this.status = readStatusLine(line);
        this.where = 'fields';
        return;
      case 'fields':
        if (line === '') this.head();
        else this.unlessStrict(undefined, () => this.fields.line(line));
        return;
      case 'size':
        this.left = chunkSize(line);
        this.where = this.left === 0 ? 'trailer' : 'chunk';
        return;
      case 'chunk end':
        if (line !== '') throw new BadMessage('a chunk is longer than its size');
        this.where = 'size';
        return;
      case 'trailer':
        if (line === '') this.where = 'over'; // fields of a trailer mean nothing here
    }
  }

  private head(): void {
    this.fields.end();
    const head = { status: this.status, headers: this.fields.headers };
    if (head.status < 200) return this.skipInterim();
    const framing = this.unlessStrict<Framing>('close', () => framingOf(this.method, head));
    if (!this.on.head(head, framing) || framing === 0) this.where = 'over';
    else if (framing === 'chunked') this.where = 'size';
    else if (framing === 'close') this.where = 'close';
    else {
      this.where = 'sized';
      this.left = framing;
    }
  }

  private unlessStrict<T>(otherwise: T, read: () => T): T {
    try {
      return read();
    } catch (error) {
      if (this.strict || !(error instanceof BadMessage)) throw error;
      return otherwise;
    }
  }

  /** A client reads past interim answers (RFC 9110, section 15.2), but for a change of protocol that it did not ask for. */
  private skipInterim(): void {
    if (this.status === 101) throw new BadMessage('101 switches protocols, which nobody asked for');
    if (++this.interim > MAX_INTERIM) throw new BadMessage(`more than ${MAX_INTERIM} interim answers`);
    this.fields = new FieldReader();
    this.blanks = 0;
    this.where = 'status';
  }
}
