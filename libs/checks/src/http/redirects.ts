import { CheckFailure } from '../failure.ts';
import { plural, quote } from '../message-text.ts';
import { type HttpRequest, isCredential } from './request.ts';

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** Whether an answer leads elsewhere. One without a Location, or an empty one, leads nowhere: its status is judged. */
export function isRedirect(status: number, location: string | undefined): location is string {
  return REDIRECTS.has(status) && location !== undefined && location !== '';
}

/**
 * The request that follows a redirect, by the rules browsers keep (Fetch, RFC 9110): 303 becomes GET, and so does
 * POST after 301 and 302; then the body stays behind. Credentials stay with their origin.
 * @throws CheckFailure `redirects` when the location is not an http or https URL
 */
export function follow(request: HttpRequest, status: number, location: string): HttpRequest {
  const url = target(location, request.url);
  const toGet =
    (status === 303 && request.method !== 'GET' && request.method !== 'HEAD') ||
    ((status === 301 || status === 302) && request.method === 'POST');
  const leaves = url.origin !== request.url.origin;
  return {
    url,
    method: toGet ? 'GET' : request.method,
    headers: request.headers.filter(([name, value]) => {
      const lower = name.toLowerCase();
      if (toGet && lower.startsWith('content-')) return false;
      return !leaves || !(lower === 'host' || isCredential(lower, value));
    }),
    body: toGet ? undefined : request.body,
    trusted: request.trusted && !leaves,
  };
}

/** The failure of a check that was redirected too often, a loop among them. */
export function tooManyRedirects(max: number, from: URL, to: URL): CheckFailure {
  const bound = max === 0 ? 'the first is already too many (max is 0)' : `more than ${max}`;
  // A Location that is a fragment alone leads there too.
  const itself = withoutFragment(from) === withoutFragment(to) ? ', from an address to itself' : '';
  return new CheckFailure('redirects', `redirects: ${bound}, the last to ${to.origin}${itself}`);
}

function withoutFragment({ href }: URL): string {
  return href.split('#', 1)[0]!;
}

/** For messages: that a verdict is about an answer further on. */
export function afterRedirects(count: number): string {
  return count === 0 ? '' : ` after ${plural(count, 'redirect')}`;
}

function target(location: string, base: URL): URL {
  // Its bytes go into the address as they are, percent-encoded: UTF-8 for most, and whatever else as it came.
  const ascii = location.replace(/[\x80-\xff]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
  const url = URL.parse(ascii, base.href);
  if (!url) throw new CheckFailure('redirects', 'redirects: the Location header is not a URL');
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new CheckFailure('redirects', `redirects: to ${quote(url.protocol)}, which is neither http nor https`);
  }
  url.username = '';
  url.password = '';
  return url;
}
