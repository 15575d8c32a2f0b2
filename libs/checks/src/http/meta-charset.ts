/**
 * What the beginning of a document says of its own character set: a `<meta>` or, where there is none, its XML declaration
 * (WHATWG HTML, "prescan a byte stream to determine its encoding"). What stands in a comment or in another tag's attribute
 * is not seen, and neither is a set that nobody knows. The text has one character for each byte.
 * @param known makes of a set's label what is wanted, or nothing of one that is none
 */
export function metaCharset<T>(text: string, known: (label: string) => T | undefined): T | undefined {
  const scan = new Prescan(text, known);
  return scan.meta() ?? scan.xmlDeclaration();
}

interface Attribute {
  name: string;
  value: string;
}

const TAG_NAME_END = /[\t\n\f\r >]/g;

class Prescan<T> {
  #at = 0;

  constructor(
    private readonly text: string,
    private readonly known: (label: string) => T | undefined,
  ) {}

  meta(): T | undefined {
    const { text } = this;
    for (this.#at = 0; this.#at < text.length; this.#at++) {
      if (text[this.#at] !== '<') continue;
      const rest = text.slice(this.#at, this.#at + 6).toLowerCase();
      if (rest.startsWith('<!--')) {
        // The two hyphens may be those that it begins with: <!-->.
        if (!this.#skipTo('-->', 2)) return undefined;
      } else if (/^<meta[\t\n\f\r /]$/.test(rest)) {
        this.#at += 6;
        const found = this.#decided(charsetOf(this.#attributes()));
        if (found !== undefined) return found;
      } else if (/^<\/?[a-z]/.test(rest)) {
        this.#skipTagName();
        this.#attributes();
      } else if (/^<[!/?]/.test(rest) && !this.#skipTo('>', 1)) return undefined;
    }
    return undefined;
  }

  xmlDeclaration(): T | undefined {
    if (!this.text.startsWith('<?xml')) return undefined;
    const declaration = this.text.slice(0, this.text.indexOf('?>') + 1);
    const label = /[\t\n\f\r ]encoding[\t\n\f\r ]*=[\t\n\f\r ]*(?:"([\w.:-]{1,40})"|'([\w.:-]{1,40})')/.exec(
      declaration,
    );
    return this.#decided(label?.[1] ?? label?.[2]);
  }

  #decided(label: string | undefined): T | undefined {
    return label === undefined || label === '' ? undefined : this.known(readable(label));
  }

  /** Moves on to the last character of the next `end`. */
  #skipTo(end: string, from: number): boolean {
    const found = this.text.indexOf(end, this.#at + from);
    this.#at = found + end.length - 1;
    return found >= 0;
  }

  #skipTagName(): void {
    TAG_NAME_END.lastIndex = this.#at;
    this.#at = TAG_NAME_END.exec(this.text)?.index ?? this.text.length;
  }

  /** The attributes of the tag that it is in; of several with one name the first. It then stands at the tag's end. */
  #attributes(): Map<string, string> {
    const found = new Map<string, string>();
    for (let next = this.#attribute(); next; next = this.#attribute()) {
      if (!found.has(next.name)) found.set(next.name, next.value);
    }
    return found;
  }

  /** The specification's "get an attribute". */
  #attribute(): Attribute | undefined {
    const { text } = this;
    this.#skip(/[\t\n\f\r /]/);
    if (this.#at >= text.length || text[this.#at] === '>') return undefined;
    const from = this.#at++; // a name may begin with "="
    this.#skip(/[^\t\n\f\r /=>]/);
    const name = text.slice(from, this.#at).toLowerCase();
    this.#skip(/[\t\n\f\r ]/);
    if (text[this.#at] !== '=') return { name, value: '' };
    this.#at++;
    this.#skip(/[\t\n\f\r ]/);
    const quote = text[this.#at];
    if (quote === '"' || quote === "'") {
      const end = text.indexOf(quote, this.#at + 1);
      const value = text.slice(this.#at + 1, end < 0 ? text.length : end).toLowerCase();
      this.#at = end < 0 ? text.length : end + 1;
      return end < 0 ? undefined : { name, value };
    }
    const begin = this.#at;
    this.#skip(/[^\t\n\f\r >]/);
    return { name, value: text.slice(begin, this.#at).toLowerCase() };
  }

  #skip(what: RegExp): void {
    while (this.#at < this.text.length && what.test(this.text[this.#at]!)) this.#at++;
  }
}

function charsetOf(attributes: Map<string, string>): string | undefined {
  const charset = attributes.get('charset');
  if (charset !== undefined) return charset.trim();
  if (attributes.get('http-equiv') !== 'content-type') return undefined;
  const content = /charset[\t\n\f\r ]*=[\t\n\f\r ]*(?:"([^"]*)"|'([^']*)'|([^\t\n\f\r ;"']+))/.exec(
    attributes.get('content') ?? '',
  );
  return content?.[1] ?? content?.[2] ?? content?.[3];
}

/** Whoever could read the word itself does not write UTF-16; and x-user-defined is no text. */
function readable(label: string): string {
  if (/^utf-?16/i.test(label)) return 'utf-8';
  return label.toLowerCase() === 'x-user-defined' ? 'windows-1252' : label;
}
