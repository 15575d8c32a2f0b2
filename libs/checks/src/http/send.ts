import { isCertificates, systemClock, type TargetGuard } from '@tocsin/core';
import { secureContextOf } from '../connect/authority.ts';
import { connect } from '../connect/connect.ts';
import type { IpFamily } from '../connect/names.ts';
import { CheckFailure } from '../failure.ts';
import { Run } from '../run.ts';
import { exchange } from './exchange.ts';
import { FRAMING, headerLines } from './request.ts';
import { addressOf } from './url-address.ts';

/** So long before its time is over a body is given up, for the answer to count. */
const MARGIN_MS = 100;

/** One request that is not a check's, such as a webhook's. */
export interface HttpSend {
  /** An http or https address. Credentials in it are not used: put them into a header. */
  url: string;
  method: string;
  /** Host, User-Agent, Accept and what frames the message are set where they are not given, or not to be given. */
  headers?: Readonly<Record<string, string>>;
  body?: string | Buffer;
  /** What a service injects as `Targets`. */
  targets: TargetGuard;
  /** For all of it up to the answer's head, in milliseconds. */
  timeoutMs: number;
  /** Ends it early; the failure is then `aborted`. */
  signal?: AbortSignal;
  /** `ca` takes the place of the usual authorities, in PEM form. Verified by default. */
  tls?: { verify?: boolean; ca?: string };
  /** Which addresses of a name are tried; all by default. */
  family?: IpFamily;
  /** How much of the answer's body is wanted, in bytes; none by default. */
  readBytes?: number;
  /** How long that much is waited for once the head is there, in milliseconds, and never beyond `timeoutMs`; 500 by default. */
  readMs?: number;
}

export interface HttpSent {
  status: number;
  /** A header's value by its name in any case; of several lines joined by `, `. */
  header: (name: string) => string | undefined;
  /** The beginning of the body, as it was sent: at most `readBytes`, and less where the rest is slow, broken or missing. */
  bodyStart: Buffer;
  /** Whether that is all of it. */
  whole: boolean;
}

/**
 * Sends one request over a connection of its own, by the rules of a check, and takes the answer's head: its status decides,
 * and no header and no body, however odd, slow or endless, changes it. Interim answers are read past. Redirects are not
 * followed, and HTTP/1.1 alone is spoken.
 * @throws CheckFailure `dns`, `connect`, `target`, `tls`, `timeout`, `closed`, `protocol`, `settings`, `resources`, `aborted`:
 * its message is a sentence for a person
 */
export function sendHttp(wish: HttpSend): Promise<HttpSent> {
  const context = { clock: systemClock, openSecret: String, ...pick(wish) };
  return new Run(context).carryOut(async (run) => {
    const url = new URL(wish.url);
    const headers = Object.entries(wish.headers ?? {}).filter(([name]) => !FRAMING.has(name.toLowerCase()));
    const request = { url, method: wish.method, headers, body: wish.body, trusted: true };
    const socket = await connect(run, {
      ...addressOf(url),
      family: wish.family ?? 'any',
      ...(url.protocol === 'https:' && { tls: tlsWish(wish) }),
    });
    const answer = await exchange(run, socket, request, {
      lines: headerLines(request, { secrets: run.secrets }),
      statusAlone: true,
      body: () => ({
        take: 'start',
        maxBytes: wish.readBytes ?? 0,
        withinMs: Math.min(wish.readMs ?? 500, Math.max(0, run.remainingMs() - MARGIN_MS)),
      }),
    });
    return {
      status: answer.status,
      header: (name) => answer.headers.get(name.toLowerCase()),
      bodyStart: Buffer.from(answer.body), // a copy: what it was read into is given back
      whole: answer.whole,
    };
  });
}

function pick({ targets, timeoutMs, signal }: HttpSend) {
  return { targets, timeoutMs, ...(signal && { signal }) };
}

function tlsWish({ tls }: HttpSend) {
  const { verify = true, ca } = tls ?? {};
  if (ca !== undefined && !isCertificates(ca))
    throw new CheckFailure('settings', 'settings: tls.ca is not a certificate');
  return { verify, secureContext: ca === undefined ? undefined : secureContextOf({ ca }), protocols: ['http/1.1'] };
}
