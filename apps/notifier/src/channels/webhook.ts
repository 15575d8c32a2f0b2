import { context, propagation } from '@opentelemetry/api';
import type { ChannelSpec } from '@tocsin/contracts';
import { Agent, type Dispatcher, request } from 'undici';
import { cleanAnswer, reasonOf } from './answer.ts';
import { retryAfterMs } from './retry-after.ts';
import type { Attempt, Outcome, Sender } from './sender.ts';
import { signatureOf } from './signature.ts';
import { webhookBody } from './webhook.body.ts';

type WebhookChannel = Extract<ChannelSpec, { kind: 'webhook' }>;

const MOST_BYTES = 4_096;
const CONNECT_MS = 5_000;
/** Answers to try again after; every other 4xx says that the request itself is refused. */
const RETRIED = new Set([408, 425, 429]);

/** Posts a notification as signed JSON. Redirects are not followed: they would carry the alarm somewhere unasked. */
export class WebhookSender implements Sender<'webhook'> {
  /** A connection per delivery: one that was kept open may be closed by the receiver just as the alarm is written to it. */
  private readonly agent = new Agent({ pipelining: 0, connect: { timeout: CONNECT_MS }, maxHeaderSize: 16_384 });

  to({ settings }: WebhookChannel): string {
    return new URL(settings.url).host;
  }

  async send(attempt: Attempt<WebhookChannel>): Promise<Outcome> {
    const { url, secret } = attempt.channel.settings;
    // Credentials in the URL are secrets too.
    const { username, password } = new URL(url);
    const clean = (text: string): string => cleanAnswer(text, [secret, password, username]);
    try {
      const response = await request(url, {
        method: 'POST',
        headers: headersOf(attempt, JSON.stringify(webhookBody(attempt.notification))),
        body: JSON.stringify(webhookBody(attempt.notification)),
        dispatcher: this.agent,
        signal: attempt.signal,
      });
      const text = clean(await start(response.body));
      const answer = `status ${response.statusCode}${text === '' ? '' : `: ${text}`}`;
      return { ...verdictOf(response, attempt.now), answer };
    } catch (error) {
      return { result: 'retry', answer: clean(reasonOf(error)) };
    }
  }

  close(): Promise<void> {
    return this.agent.destroy();
  }
}

function headersOf({ channel, notification, now }: Attempt<WebhookChannel>, body: string): Record<string, string> {
  const { url, secret } = channel.settings;
  const { username, password } = new URL(url);
  const headers: Record<string, string> = {
    'content-type': 'application/json',
    'user-agent': 'Tocsin/1 (notifier)',
    'idempotency-key': notification.id,
  };
  if (secret !== undefined) headers['tocsin-signature'] = signatureOf(secret, body, now);
  if (username !== '' || password !== '') {
    const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
    headers['authorization'] = `Basic ${Buffer.from(credentials).toString('base64')}`;
  }
  propagation.inject(context.active(), headers);
  return headers;
}

function verdictOf(
  { statusCode, headers }: Dispatcher.ResponseData,
  now: number,
): Pick<Outcome, 'result' | 'retryAfterMs'> {
  if (statusCode >= 200 && statusCode < 300) return { result: 'sent' };
  if (statusCode < 500 && !RETRIED.has(statusCode)) return { result: 'refused' };
  const header = headers['retry-after'];
  return { result: 'retry', retryAfterMs: retryAfterMs(Array.isArray(header) ? header[0] : header, now) };
}

/** The first bytes of a body that may never end. A body that breaks off changes nothing: the status was the answer. */
async function start(body: Dispatcher.ResponseData['body']): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of body) {
      chunks.push(chunk as Buffer);
      length += (chunk as Buffer).length;
      if (length >= MOST_BYTES) break;
    }
  } catch {
    // What was read is kept.
  }
  body.destroy();
  return Buffer.concat(chunks).subarray(0, MOST_BYTES).toString('utf8');
}
