import { isIP } from 'node:net';
import { cookieDate } from './cookie-date.ts';

interface Cookie {
  name: string;
  value: string;
  /** In lower case, and without a dot before it. */
  domain: string;
  /** Sent to the very host that set it, and to no other below it. */
  hostOnly: boolean;
  path: string;
  secure: boolean;
  /** When it ends, ms since the epoch. */
  expiresAt: number;
}

/** More than a check of one site needs; what comes beyond is not taken. */
const MAX_COOKIES = 50;
/** Of name and value together (RFC 6265, section 6.1). */
const MAX_COOKIE_BYTES = 4_096;
/** Of the line that is sent: servers take no more than 8 KiB or so. */
const MAX_LINE_BYTES = 8_192;

/**
 * The cookies of one check (RFC 6265, sections 5.3 and 5.4), from its first answer to its last. A cookie goes back to
 * the host that set it, and one for a whole domain to the hosts below that too, never to another site's. In place of the list of
 * public suffixes, which outweighs what one check may pass between its own redirects, top-level domains and the usual
 * second-level ones of countries are refused.
 */
export class CookieJar {
  private cookies: Cookie[] = [];

  /** Takes the `Set-Cookie` lines of an answer from `url`; `now` in ms since the epoch. */
  take(lines: readonly string[], url: URL, now: number): void {
    for (const line of lines) {
      const cookie = parse(line, url, now);
      if (cookie) this.put(cookie, now);
    }
  }

  /** The cookies for a request, as `a=1; b=2`: those of longer paths first, then the older ones. Undefined for none. */
  lineFor(url: URL, now: number): string | undefined {
    const pairs: string[] = [];
    let length = 0;
    for (const cookie of this.cookies.toSorted((a, b) => b.path.length - a.path.length)) {
      if (!isFor(cookie, url, now)) continue;
      const pair = cookie.name === '' ? cookie.value : `${cookie.name}=${cookie.value}`;
      length += pair.length + 2;
      if (length > MAX_LINE_BYTES) break;
      pairs.push(pair);
    }
    return pairs.length === 0 ? undefined : pairs.join('; ');
  }

  /** A cookie of the same name, domain and path takes the place of the one before; one that has ended deletes it. */
  private put(cookie: Cookie, now: number): void {
    const at = this.cookies.findIndex(
      ({ name, domain, path }) => name === cookie.name && domain === cookie.domain && path === cookie.path,
    );
    if (cookie.expiresAt <= now) {
      if (at >= 0) this.cookies.splice(at, 1);
    } else if (at >= 0) this.cookies[at] = cookie;
    else if (this.cookies.length < MAX_COOKIES) this.cookies.push(cookie);
  }
}

function isFor(cookie: Cookie, url: URL, now: number): boolean {
  const host = hostOf(url);
  if (cookie.expiresAt <= now || (cookie.secure && !isSecure(url))) return false;
  return (
    (cookie.hostOnly ? host === cookie.domain : isWithin(host, cookie.domain)) && isBelow(url.pathname, cookie.path)
  );
}

// oxlint-disable-next-line no-control-regex -- control characters are what it looks for
const CONTROL = /[\u0000-\u0008\u000a-\u001f\u007f]/;

function parse(line: string, url: URL, now: number): Cookie | undefined {
  if (CONTROL.test(line)) return undefined; // it could not be sent back
  const [pair = '', ...attributes] = line.split(';');
  const equals = pair.indexOf('=');
  const name = equals < 0 ? '' : trim(pair.slice(0, equals));
  const value = trim(equals < 0 ? pair : pair.slice(equals + 1));
  if ((name === '' && value === '') || name.length + value.length > MAX_COOKIE_BYTES) return undefined;
  const host = hostOf(url);
  const cookie: Cookie = { name, value, domain: host, hostOnly: true, path: '', secure: false, expiresAt: Infinity };
  let maxAge: number | undefined;
  for (const attribute of attributes.slice(0, 20)) {
    const at = attribute.indexOf('=');
    const text = at < 0 ? '' : trim(attribute.slice(at + 1));
    switch (trim(at < 0 ? attribute : attribute.slice(0, at)).toLowerCase()) {
      case 'domain': {
        const domain = text.replace(/^\./, '').toLowerCase();
        if (domain === '') break;
        if (!mayBeFor(domain, host)) return undefined;
        Object.assign(cookie, { domain, hostOnly: isIP(host) !== 0 });
        break;
      }
      case 'path':
        cookie.path = text;
        break;
      case 'secure':
        cookie.secure = true;
        break;
      case 'max-age':
        if (/^-?\d+$/.test(text)) maxAge = Number(text);
        break;
      case 'expires': {
        cookie.expiresAt = cookieDate(text) ?? cookie.expiresAt;
      }
    }
  }
  if (maxAge !== undefined) cookie.expiresAt = maxAge <= 0 ? -Infinity : now + maxAge * 1_000;
  if (!cookie.path.startsWith('/')) cookie.path = defaultPath(url.pathname);
  return isTrusted(cookie, url) ? cookie : undefined;
}

/** A secure cookie comes over TLS; and what these prefixes promise must hold (RFC 6265bis, sections 4.1.3 and 5.7). */
function isTrusted({ name, secure, hostOnly, path }: Cookie, url: URL): boolean {
  if (secure && !isSecure(url)) return false;
  if (/^__secure-/i.test(name)) return secure;
  return !/^__host-/i.test(name) || (secure && hostOnly && path === '/');
}

function isSecure(url: URL): boolean {
  return url.protocol === 'https:';
}

/** Second-level names under which countries let people register: `co.uk`, `com.au`, `ne.jp`. */
const REGISTRY = /^(ac|co|com|edu|go|gob|gov|gouv|id|ltd|me|mil|ne|net|nom|or|org|plc|sch|web)\.[a-z]{2}$/;

/** Whether a host may set cookies for a domain: for itself, or for a parent that is one site's. */
function mayBeFor(domain: string, host: string): boolean {
  return host === domain || (isWithin(host, domain) && domain.includes('.') && !REGISTRY.test(domain));
}

function isWithin(host: string, domain: string): boolean {
  return host === domain || (isIP(host) === 0 && host.endsWith(`.${domain}`));
}

function isBelow(path: string, of: string): boolean {
  return path === of || (path.startsWith(of) && (of.endsWith('/') || path[of.length] === '/'));
}

function defaultPath(pathname: string): string {
  return pathname.slice(0, Math.max(1, pathname.lastIndexOf('/')));
}

function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
}

function trim(text: string): string {
  return text.replace(/^[ \t]+|[ \t]+$/g, '');
}
