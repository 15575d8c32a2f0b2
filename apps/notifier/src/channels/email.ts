import { Socket } from 'node:net';
import type { ChannelSpec, EmailSettings } from '@tocsin/contracts';
import { createTransport, type SMTPTransportOptions } from 'nodemailer';
import type { Notification } from '../notification.ts';
import { cleanAnswer, reasonOf } from './answer.ts';
import { mailText } from './email.message.ts';
import type { Attempt, Outcome, Sender } from './sender.ts';

type EmailChannel = Extract<ChannelSpec, { kind: 'email' }>;

const CONNECT_MS = 5_000;
const SILENCE_MS = 10_000;

/** Sends a notification as mail over SMTP. A mail that is sent again has the same Message-ID. */
export class EmailSender implements Sender<'email'> {
  to({ settings }: EmailChannel): string {
    return settings.to.join(', ');
  }

  async send({ channel, notification, signal }: Attempt<EmailChannel>): Promise<Outcome> {
    const { smtp } = channel.settings;
    const clean = (text: string): string => cleanAnswer(text, [smtp.password]);
    // The library has no way to end an attempt from outside, so the socket is ours.
    const socket = new Socket();
    const abort = (): void => void socket.destroy(new Error('the attempt took too long'));
    signal.addEventListener('abort', abort, { once: true });
    try {
      if (signal.aborted) throw signal.reason;
      const info = await createTransport(transportOf(smtp, socket)).sendMail(mailOf(notification, channel.settings));
      const refused = info.rejected.length > 0 ? ` (refused for ${info.rejected.map(String).join(', ')})` : '';
      return { result: 'sent', answer: clean(`${info.response}${refused}`) };
    } catch (error) {
      return { result: isPermanent(error) ? 'refused' : 'retry', answer: clean(reasonOf(error)) };
    } finally {
      signal.removeEventListener('abort', abort);
      socket.destroy();
    }
  }
}

function transportOf(smtp: EmailSettings['smtp'], socket: Socket): SMTPTransportOptions {
  const { host, port, security, verify, username, password } = smtp;
  return {
    host,
    port,
    socket,
    secure: security === 'tls',
    requireTLS: security === 'starttls',
    ignoreTLS: security === 'none',
    tls: { rejectUnauthorized: verify },
    ...(username === undefined ? {} : { auth: { user: username, pass: password ?? '' } }),
    connectionTimeout: CONNECT_MS,
    greetingTimeout: CONNECT_MS,
    socketTimeout: SILENCE_MS,
    disableFileAccess: true,
    disableUrlAccess: true,
  };
}

function mailOf(n: Notification, { from, to }: EmailSettings): Record<string, unknown> {
  const domain = from.slice(from.lastIndexOf('@') + 1);
  return {
    from,
    to,
    ...mailText(n),
    messageId: `<${n.id}@${domain}>`,
    date: new Date(n.createdAt),
    // Mails of one incident stand together in the reader's mailbox.
    ...(n.incidentId === undefined ? {} : { references: `<incident.${n.incidentId}@${domain}>` }),
    headers: { 'Auto-Submitted': 'auto-generated', 'X-Tocsin-Notification': n.id },
  };
}

/** SMTP says itself whether to try again: 4xx may work later, 5xx never will. Without an answer it may. */
function isPermanent(error: unknown): boolean {
  if (!(error instanceof Error) || !('responseCode' in error)) return false;
  return typeof error.responseCode === 'number' && error.responseCode >= 500;
}
