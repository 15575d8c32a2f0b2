import type { Socket } from 'node:net';
import type { EmailSettings } from '@tocsin/contracts';
import SMTPConnection, { type SMTPConnectionOptions } from 'nodemailer/lib/smtp-connection';
import type { Refusal } from './email.recipients.ts';

const CONNECT_MS = 5_000;
const SILENCE_MS = 10_000;

/** A mail as it goes over the wire. */
export interface WireMail {
  from: string;
  to: readonly string[];
  message: Buffer;
}

/** What the server said: of the mail, and to each recipient that it did not take. */
export interface Delivery {
  response: string;
  refusals: Map<string, Refusal>;
}

/**
 * Hands a mail to a server over a socket that is connected already; the caller destroys that.
 * @throws an error with SMTP's `responseCode` where the server refused the whole; without one where it said nothing. A
 * refusal of every recipient is a delivery to nobody and not thrown
 */
export async function deliver(mail: WireMail, smtp: EmailSettings['smtp'], socket: Socket): Promise<Delivery> {
  const connection = new SMTPConnection(optionsOf(smtp, socket));
  const broken = new Promise<never>((_, reject) => connection.on('error', reject));
  broken.catch(() => undefined);
  const step = <T>(begin: (done: (error?: Error | null, value?: T) => void) => void): Promise<T | undefined> =>
    Promise.race([broken, new Promise<T | undefined>((resolve, reject) => begin((error, value) => (error ? reject(error) : resolve(value))))]); // prettier-ignore
  try {
    await step((done) => connection.connect(done));
    withoutPipelining(connection);
    const { username: user, password: pass = '' } = smtp;
    if (user !== undefined) await step((done) => connection.login({ user, pass, credentials: { user, pass } }, done));
    const { from, to, message } = mail;
    const info = await step<{ response?: string; rejectedErrors?: ServerError[] | undefined }>((done) =>
      connection.send({ from, to: [...to] }, message, done),
    );
    return { response: info?.response ?? '', refusals: refusalsOf(info?.rejectedErrors) };
  } catch (error) {
    const { rejectedErrors, message } = error as { rejectedErrors?: ServerError[]; message: string };
    if (!rejectedErrors || rejectedErrors.length < mail.to.length) throw error;
    return { response: message, refusals: refusalsOf(rejectedErrors) };
  } finally {
    connection.close();
  }
}

interface ServerError extends Error {
  recipient?: string | undefined;
  response?: string | undefined;
  responseCode?: number | undefined;
}

function refusalsOf(errors: readonly ServerError[] = []): Map<string, Refusal> {
  return new Map(
    errors.map(({ recipient = '', response, responseCode = 0, message }) => [
      recipient,
      { code: responseCode, text: response ?? message },
    ]),
  );
}

/**
 * Each recipient is answered for before the mail is offered. In a pipeline, a server that refuses all of them and takes
 * DATA all the same (RFC 2920, 3.1) may wait for more of an empty mail than it is sent. The library has no option for it.
 */
function withoutPipelining(connection: SMTPConnection): void {
  const known = connection as unknown as { _supportedExtensions: string[] };
  known._supportedExtensions = known._supportedExtensions.filter((name) => name !== 'PIPELINING');
}

function optionsOf(
  { host, port, security, verify, tls }: EmailSettings['smtp'],
  socket: Socket,
): SMTPConnectionOptions {
  return {
    host,
    port,
    connection: socket,
    secure: security === 'tls',
    requireTLS: security === 'starttls',
    ignoreTLS: security === 'none',
    tls: { rejectUnauthorized: verify, ...(tls?.ca === undefined ? {} : { ca: tls.ca }) },
    connectionTimeout: CONNECT_MS,
    greetingTimeout: CONNECT_MS,
    socketTimeout: SILENCE_MS,
  };
}
