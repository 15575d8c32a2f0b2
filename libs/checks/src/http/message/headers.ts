/** Fields that mean one thing: of several lines the first counts. All others are lists (RFC 9110, section 5.3). */
const SINGLE: ReadonlySet<string> = new Set([
  'age',
  'content-length',
  'content-type',
  'etag',
  'expires',
  'last-modified',
  'location',
  'retry-after',
  'server',
]);

/** The fields of an answer's head by their names in lower case. A value has one character for each byte (Latin-1). */
export class ResponseHeaders {
  private readonly fields = new Map<string, string[]>();

  /** Adds a line's value; `name` is in lower case. */
  add(name: string, value: string): void {
    const values = this.fields.get(name);
    if (values) values.push(value);
    else this.fields.set(name, [value]);
  }

  /** The value, of several lines joined by `, `. `name` is in lower case. */
  get(name: string): string | undefined {
    const values = this.fields.get(name);
    if (!values) return undefined;
    return values.length === 1 || SINGLE.has(name) ? values[0] : values.join(', ');
  }

  /** The values of all lines: of `set-cookie`, which can't be joined. */
  all(name: string): readonly string[] {
    return this.fields.get(name) ?? [];
  }
}
