import { domainToASCII } from 'node:url';
import { openConnection } from '@tocsin/checks';
import { type ChannelOf, type EmailSettings, parseMailbox } from '@tocsin/contracts';
import type { TargetGuard } from '@tocsin/core';
import MailComposer from 'nodemailer/lib/mail-composer';
import type { Notification } from '../../notifications/notification.ts';
import { cleanAnswer, reasonOf } from '../answer.ts';
import { mailText } from './email.message.ts';
import { NOBODY, openRecipients, outcomeFor, type Refusal } from './email.recipients.ts';
import type { Attempt, SendOutcome, Sender } from '../sender.ts';
import { deliver } from './smtp.ts';

type EmailChannel = ChannelOf<'email'>;

const CONNECT_MS = 5_000;
/** A login that is refused, or missing: the operator can correct it (RFC 4954, section 6). */
const LOGIN_CODES = new Set([530, 534, 535, 538]);

/** Sends a notification as mail over SMTP. A mail that is sent again has the same Message-ID. */
export class EmailSender implements Sender<'email'> {
  constructor(private readonly targets: TargetGuard) {}

  to({ settings }: EmailChannel): string {
    return settings.to.join(', ');
  }

  /** Offers the mail to those of its recipients that have neither got it nor were refused for good. */
  async send({ channel, notification, signal }: Attempt<EmailChannel>): Promise<SendOutcome> {
    const { smtp, to } = channel.settings;
    const before = notification.recipients ?? NOBODY;
    const open = openRecipients(to, before);
    if (open.length === 0) return outcomeFor(to, before, { tried: [], refusals: new Map(), answer: 'settled for all' });
    // Two spellings of a host may be one address: it gets one mail, and both get its answer.
    const wire = new Map(open.map((one) => [one, wireAddress(one)]));
    const clean = (text: string): string => cleanAnswer(text, [smtp.password]);
    try {
      const { response, refusals } = await this.deliver(
        channel.settings,
        notification,
        [...new Set(wire.values())],
        signal,
      );
      const named = [...wire].flatMap(([one, address]): [string, Refusal][] => {
        const refusal = refusals.get(address);
        return refusal ? [[one, refusal]] : [];
      });
      const outcome = outcomeFor(to, before, { tried: open, refusals: new Map(named), answer: response });
      return { ...outcome, answer: clean(outcome.answer) };
    } catch (error) {
      return { result: isPermanent(error) ? 'refused' : 'retry', answer: clean(reasonOf(error)) };
    }
  }

  private async deliver(
    settings: EmailSettings,
    notification: Notification,
    to: readonly string[],
    signal: AbortSignal,
  ): ReturnType<typeof deliver> {
    const { targets } = this;
    const smtp = { ...settings.smtp, host: domainToASCII(settings.smtp.host) || settings.smtp.host };
    const message = await new MailComposer(mailOf(notification, settings)).compile().build();
    const socket = await openConnection({ ...smtp, targets, timeoutMs: CONNECT_MS, signal });
    const abort = (): void => void socket.destroy(new Error('the attempt took too long'));
    signal.addEventListener('abort', abort, { once: true });
    try {
      return await deliver({ from: wireAddress(senderOf(settings).address), to, message }, smtp, socket);
    } finally {
      signal.removeEventListener('abort', abort);
      socket.destroy();
    }
  }
}

/** An address as the envelope has it: its host in ASCII, unless its local part needs UTF-8 anyway (RFC 6531). */
function wireAddress(address: string): string {
  return new MailComposer({ envelope: { to: [{ address }] } }).compile().getEnvelope().to[0] ?? address;
}

/** @throws TypeError for a sender that no door lets in */
function senderOf({ from }: EmailSettings): { name: string; address: string } {
  const sender = parseMailbox(from);
  if (!sender) throw new TypeError('the address that mails come from cannot be read');
  return { name: '', ...sender };
}

function mailOf(n: Notification, settings: EmailSettings): ConstructorParameters<typeof MailComposer>[0] {
  const from = senderOf(settings);
  const domain = hostOf(from.address);
  return {
    from,
    to: settings.to.map((address) => ({ address, name: '' })),
    ...mailText(n),
    messageId: `<${n.id}@${domain}>`,
    date: new Date(n.createdAt),
    // Mails of one incident stand together in the reader's mailbox.
    ...(n.incidentId === undefined ? {} : { references: `<incident.${n.incidentId}@${domain}>` }),
    headers: { 'Auto-Submitted': 'auto-generated', 'X-Tocsin-Notification': n.id },
    disableFileAccess: true,
    disableUrlAccess: true,
  };
}

function hostOf(address: string): string {
  const domain = address.slice(address.lastIndexOf('@') + 1);
  return domainToASCII(domain) || domain;
}

/** SMTP says itself whether to try again: 4xx may work later, 5xx never will, but for a login. Without an answer it may. */
function isPermanent(error: unknown): boolean {
  if (!(error instanceof Error) || !('responseCode' in error)) return false;
  const { responseCode: code } = error;
  return typeof code === 'number' && code >= 500 && !LOGIN_CODES.has(code);
}
