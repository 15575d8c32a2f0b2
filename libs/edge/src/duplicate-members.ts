interface Open {
  /** Names so far; undefined in a list. */
  readonly names: Set<string> | undefined;
  /** Where the value at hand is: the name of a member, or the place in a list. */
  at: string | number;
}

/**
 * The path of the first member that an object of a JSON text has twice, or undefined. `JSON.parse` takes the last of them
 * where others take the first, so that two readers of one text would see two requests (RFC 8259, 4). Names are compared as
 * they are meant: `"\u0061"` is `"a"`.
 * @param text valid JSON
 */
export function duplicateMember(text: string): string[] | undefined {
  const open: Open[] = [];
  let isName = false;
  for (let i = 0; i < text.length; i += 1) {
    const inner = open.at(-1);
    switch (text[i] ?? '') {
      case '{':
        open.push({ names: new Set(), at: '' });
        isName = true;
        break;
      case '[':
        open.push({ names: undefined, at: 0 });
        isName = false;
        break;
      case '}':
      case ']':
        open.pop();
        isName = false;
        break;
      case ',':
        isName = inner?.names !== undefined;
        if (inner && typeof inner.at === 'number') inner.at += 1;
        break;
      case '"': {
        const end = endOfText(text, i);
        if (isName && inner?.names) {
          inner.at = JSON.parse(text.slice(i, end + 1)) as string;
          if (inner.names.has(inner.at)) return open.map(({ at }) => String(at));
          inner.names.add(inner.at);
          isName = false;
        }
        i = end;
        break;
      }
      default:
    }
  }
  return undefined;
}

/** Where the quote is that ends the string which begins at `start`. */
function endOfText(text: string, start: number): number {
  for (let i = start + 1; ; i += 1) {
    if (text[i] === '\\') i += 1;
    else if (text[i] === '"') return i;
  }
}
