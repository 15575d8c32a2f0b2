import { type HttpSent, sendHttp } from '@tocsin/checks';
import type { ChannelOf } from '@tocsin/contracts';
import type { TargetGuard } from '@tocsin/core';
import { carryTrace } from '@tocsin/telemetry';
import { cleanAnswer, reasonOf } from '../answer.ts';
import { percentDecode } from './percent.ts';
import { retryAfterMs } from '../retry-after.ts';
import type { Attempt, SendOutcome, Sender } from '../sender.ts';
import { signatureOf } from './signature.ts';
import { webhookBody } from './webhook.body.ts';

type WebhookChannel = ChannelOf<'webhook'>;

/** How much of the body is read, and for how long: the status was the answer. */
const READ = { readBytes: 4_096, readMs: 1_000 };
/** How much of what a receiver says beside its status is kept. */
const MOST_SAID = 200;
/** Answers to try again after; every other 4xx says that the request itself is refused. */
const RETRIED = new Set([408, 425, 429]);
/** A piece of a path that is as long as this may be a key; a shorter one is a word. */
const SHORTEST_KEY = 8;

/** Posts a notification as signed JSON. Redirects are not followed: they would carry the alarm somewhere unasked. */
export class WebhookSender implements Sender<'webhook'> {
  /** @param timeoutMs how long an attempt may take, as its signal has it: an answer that is there by then counts */
  constructor(
    private readonly targets: TargetGuard,
    private readonly timeoutMs: number,
  ) {}

  to({ settings }: WebhookChannel): string {
    return new URL(settings.url).host;
  }

  async send(attempt: Attempt<WebhookChannel>): Promise<SendOutcome> {
    const { url: address, secret, tls = { verify: true } } = attempt.channel.settings;
    const { targets, timeoutMs } = this;
    const url = new URL(address);
    const clean = (text: string): string => cleanAnswer(text, [secret, ...secretsOf(url)], MOST_SAID);
    const body = JSON.stringify(webhookBody(attempt.notification));
    const headers = headersOf(attempt, url, body);
    try {
      const { signal } = attempt;
      const wish = { method: 'POST', headers, body, tls: tlsOf(tls), targets, signal, timeoutMs, ...READ };
      const sent = await sendHttp({ url: address, ...wish });
      const text = clean(textOf(sent));
      const answer = `status ${sent.status}${text === '' ? '' : `: ${text}`}`;
      return { ...verdictOf(sent, attempt.now), answer };
    } catch (error) {
      return { result: 'retry', answer: clean(reasonOf(error)) };
    }
  }
}

function headersOf(
  { channel, notification, now }: Attempt<WebhookChannel>,
  url: URL,
  body: string,
): Record<string, string> {
  const { secret } = channel.settings;
  const headers: Record<string, string> = {
    'content-type': 'application/json',
    'user-agent': 'Tocsin/1 (notifier)',
    'idempotency-key': notification.id,
  };
  if (secret !== undefined) headers['tocsin-signature'] = signatureOf(secret, body, now);
  if (url.username !== '' || url.password !== '') headers['authorization'] = `Basic ${credentials(url)}`;
  return carryTrace(headers);
}

/** The bytes that the address stands for, in whatever encoding they are (RFC 7617). */
function credentials({ username, password }: URL): string {
  return Buffer.concat([percentDecode(username), Buffer.from(':'), percentDecode(password)]).toString('base64');
}

/** What of an address may be a key: its credentials, its path, and what its query says. */
function secretsOf(url: URL): string[] {
  const { href, username, password, pathname, search } = url;
  const long = [pathname, `${pathname}${search}`, search, ...pathname.split('/')];
  return [
    href,
    ...(username === '' && password === '' ? [] : [credentials(url)]),
    ...[username, password].flatMap((one) => [one, percentDecode(one).toString('utf8')]),
    ...long.filter((one) => one.length >= SHORTEST_KEY),
    ...url.searchParams.values(),
  ];
}

function tlsOf({ verify, ca }: { verify: boolean; ca?: string | undefined }) {
  return ca === undefined ? { verify } : { verify, ca };
}

/** What the receiver said: a text that was cut off ends in `…`, so that no end of a secret is taken for a word. */
function textOf({ header, bodyStart, whole }: HttpSent): string {
  if (header('content-encoding') !== undefined) return '';
  return `${bodyStart.toString('utf8')}${whole ? '' : '…'}`;
}

function verdictOf({ status, header }: HttpSent, now: number): Pick<SendOutcome, 'result' | 'retryAfterMs'> {
  if (status >= 200 && status < 300) return { result: 'sent' };
  if (status < 500 && !RETRIED.has(status)) return { result: 'refused' };
  return { result: 'retry', retryAfterMs: retryAfterMs(header('retry-after'), now) };
}
