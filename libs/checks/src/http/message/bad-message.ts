import { bytes } from '../../message-text.ts';

/** Why bytes are no HTTP answer: the rule that they break, in words for a person. */
export class BadMessage extends Error {
  override readonly name: string = 'BadMessage';
}

/** An answer whose head goes on beyond its bound. */
export class TooLargeHead extends BadMessage {
  constructor(maxBytes: number) {
    super(`the headers are larger than ${bytes(maxBytes)}`);
  }
}
