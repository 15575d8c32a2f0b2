import { type HttpSettings, isCredentialHeader } from '@tocsin/contracts';
import { isSealed } from '@tocsin/core';
import type { RunSecrets } from '../run-secrets.ts';

/** One request of a check: the first, or the one that a redirect leads to. */
export interface HttpRequest {
  url: URL;
  method: string;
  /** Name and value pairs without credentials and framing; values may be sealed. */
  headers: readonly (readonly [name: string, value: string])[];
  body: string | Buffer | undefined;
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
    headers: Object.entries(settings.headers).flatMap(([name, given]) => {
      if (FRAMING.has(name.toLowerCase())) return [];
      return [[name, typeof given === 'string' ? given : given.value] as const];
    }),
    body: settings.body,
    trusted: true,
  };
}

const SOUNDS_SECRET = /auth|cookie|token|secret|password|key|credential|session/i;

/** Whether what is called so is better left out of messages: a guess, where a wrong one costs little. */
export function soundsSecret(name: string): boolean {
  return SOUNDS_SECRET.test(name);
}

/** Headers that say who is asking, and so stay with the origin they were meant for; those that sound so as well. */
export function isCredential(name: string, value: string): boolean {
  return isSealed(value) || isCredentialHeader(name) || soundsSecret(name);
}

/** What a request carries besides its own headers. */
export interface Additions {
  auth?: HttpSettings['auth'];
  secrets: RunSecrets;
  /** What the answers before have set. */
  cookies?: string | undefined;
}

/**
 * The header lines of a request as they are sent, name and value in turn. Secrets are opened here, at their use.
 * @throws CheckFailure `settings` when a secret does not open
 */
export function headerLines(request: HttpRequest, { auth, secrets, cookies }: Additions): string[] {
  const lines: string[] = [];
  const given = new Set<string>();
  const authorization = auth && request.trusted;
  for (const [name, value] of request.headers) {
    const lower = name.toLowerCase();
    if (authorization && lower === 'authorization') continue;
    // The monitor's own cookies stay, and those of the check come after them: a request has one such line.
    const more = lower === 'cookie' && !given.has(lower) ? cookies : undefined;
    given.add(lower);
    lines.push(name, more === undefined ? secrets.open(value) : `${secrets.open(value)}; ${more}`);
  }
  if (cookies !== undefined && !given.has('cookie')) lines.push('Cookie', cookies);
  if (authorization) lines.push('Authorization', credentials(auth, secrets));
  if (!given.has('host')) lines.unshift('Host', request.url.host);
  if (!given.has('user-agent')) lines.push('User-Agent', 'Tocsin/0.1');
  if (!given.has('accept')) lines.push('Accept', '*/*');
  const length = contentLength(request);
  if (length !== undefined) lines.push('Content-Length', String(length));
  lines.push('Connection', 'close');
  return lines;
}

/** Methods whose content means something: they name its length even where there is none (RFC 9110, section 8.6). */
const WITH_CONTENT: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH']);

function contentLength({ method, body }: HttpRequest): number | undefined {
  if (body !== undefined) return Buffer.byteLength(body);
  return WITH_CONTENT.has(method) ? 0 : undefined;
}

function credentials(auth: NonNullable<HttpSettings['auth']>, secrets: RunSecrets): string {
  if (auth.type === 'bearer') return `Bearer ${secrets.open(auth.token)}`;
  const pair = Buffer.from(`${auth.username}:${secrets.open(auth.password)}`).toString('base64');
  return `Basic ${secrets.conceal(pair)}`;
}
