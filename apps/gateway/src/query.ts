import { HIDDEN } from '@tocsin/contracts';

/** A URL with the values of its query, and its fragment, hidden; the names stay, so that it can be recognised. */
export function withoutQuery(url: string): string {
  const [, before, query] = /^([^?#]*)(?:\?([^#]*))?/.exec(url)!;
  if (query === undefined) return before!;
  return `${before}?${query.split('&').map(withoutValue).join('&')}`;
}

/** A part without a name is a value. */
function withoutValue(part: string): string {
  if (part === '') return '';
  const at = part.indexOf('=');
  return at < 0 ? HIDDEN : `${part.slice(0, at)}=${HIDDEN}`;
}
