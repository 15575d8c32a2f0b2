const HEAD_BYTES = 9;
const [DATA, HEADERS, RST_STREAM, CONTINUATION] = [0x0, 0x1, 0x3, 0x9];
const [END_STREAM, END_HEADERS] = [0x1, 0x4];
/** The first stream of a client, and here its only one (RFC 9113, section 5.1.1). */
const STREAM = 1;

/** Finds where an answer ends among the frames of a connection (RFC 9113, section 4.1), however they are cut. */
export class AnswerEnd {
  private readonly head = Buffer.alloc(HEAD_BYTES);
  private headBytes = 0;
  /** Bytes to come of the frame's payload. */
  private left = 0;
  /** The field block that is under way ends the stream. */
  private ending = false;
  private lastFrame = false;
  private over = false;

  /** @returns how many of the next bytes come before the end of the answer */
  take(data: Buffer): number {
    let at = 0;
    while (at < data.length && !this.over) {
      if (this.headBytes < HEAD_BYTES) {
        const count = data.copy(this.head, this.headBytes, at);
        this.headBytes += count;
        at += count;
        if (this.headBytes === HEAD_BYTES) this.begin();
      } else {
        const count = Math.min(this.left, data.length - at);
        this.left -= count;
        at += count;
      }
      if (this.headBytes === HEAD_BYTES && this.left === 0) {
        this.headBytes = 0;
        this.over = this.lastFrame;
      }
    }
    return at;
  }

  private begin(): void {
    this.left = this.head.readUIntBE(0, 3);
    const [type, flags] = [this.head[3]!, this.head[4]!];
    this.lastFrame = false;
    if ((this.head.readUInt32BE(5) & 0x7fff_ffff) !== STREAM) return;
    if (type === HEADERS) this.ending = (flags & END_STREAM) !== 0;
    const endsBlock = (type === HEADERS || type === CONTINUATION) && (flags & END_HEADERS) !== 0;
    const endsData = type === DATA && (flags & END_STREAM) !== 0;
    this.lastFrame = endsData || type === RST_STREAM || (endsBlock && this.ending);
  }
}
