import { isSecretField, type HttpSettings } from '@tocsin/contracts';
import type { RunSecrets } from '../run-secrets.ts';

/** One request of a check: the first, or the one that a redirect leads to. */
export interface HttpRequest {
  url: URL;
  method: string;
  /** Name and value pairs without credentials and framing; values may be sealed. */
  headers: readonly (readonly [name: string, value: string])[];
  body: string | undefined;
  /** Whether the monitor's credentials may go with it: not once a redirect has led to another origin. */
  trusted: boolean;
}

/** Headers that frame the message or manage the connection: the check sets them, and nobody else. */
export const FRAMING: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'expect',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** The first request of a check. */
export function firstRequest(settings: HttpSettings): HttpRequest {
  return {
    url: new URL(settings.url),
    method: settings.method,
    headers: Object.entries(settings.headers).filter(([name]) => !FRAMING.has(name.toLowerCase())),
    body: settings.body,
    trusted: true,
  };
}

/** Headers that say who is asking, and so stay with the origin they were meant for. */
export function isCredential(name: string): boolean {
  return isSecretField(`headers.${name}`);
}

/**
 * The header lines of a request as they are sent, name and value in turn. Secrets are opened here, at their use.
 * @throws CheckFailure `settings` when a secret does not open
 */
export function headerLines(request: HttpRequest, auth: HttpSettings['auth'], secrets: RunSecrets): string[] {
  const lines: string[] = [];
  const given = new Set<string>();
  const authorization = auth && request.trusted;
  for (const [name, value] of request.headers) {
    const lower = name.toLowerCase();
    if (authorization && lower === 'authorization') continue;
    given.add(lower);
    lines.push(name, secrets.open(value));
  }
  if (authorization) lines.push('Authorization', credentials(auth, secrets));
  if (!given.has('host')) lines.unshift('Host', request.url.host);
  if (!given.has('user-agent')) lines.push('User-Agent', 'Tocsin/0.1');
  if (!given.has('accept')) lines.push('Accept', '*/*');
  if (request.body !== undefined) lines.push('Content-Length', String(Buffer.byteLength(request.body)));
  lines.push('Connection', 'close');
  return lines;
}

function credentials(auth: NonNullable<HttpSettings['auth']>, secrets: RunSecrets): string {
  if (auth.type === 'bearer') return `Bearer ${secrets.open(auth.token)}`;
  const pair = Buffer.from(`${auth.username}:${secrets.open(auth.password)}`).toString('base64');
  return `Basic ${secrets.conceal(pair)}`;
}
