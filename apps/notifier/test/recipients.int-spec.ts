import type { EmailSettings } from '@tocsin/contracts';
import { newId } from '@tocsin/core';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { EmailSender } from '../src/channels/email/email.ts';
import type { SendOutcome } from '../src/channels/sender.ts';
import type { Notification } from '../src/notifications/notification.ts';
import { mailServer } from './mail-server.ts';
import { System } from './system.ts';

const GREY = '450 4.2.0 greylisted';
const GONE = '550 5.1.1 no such user';

const sender = new EmailSender({ refusal: () => undefined });

function send(port: number, over: Partial<EmailSettings> = {}, n: Partial<Notification> = {}): Promise<SendOutcome> {
  const smtp = { host: '127.0.0.1', port, security: 'none' as const, verify: true };
  const settings = { from: 'tocsin@example.org', to: ['a@example.org', 'b@example.org'], smtp, ...over };
  const notification: Notification = {
    id: newId(),
    channelId: newId(),
    channelName: 'mail',
    kind: 'test',
    step: 0,
    status: 'sending',
    attempts: 1,
    to: '',
    trace: {},
    createdAt: 0,
    ...n,
  };
  const channel = { kind: 'email' as const, name: 'mail', settings };
  return sender.send({ channel, notification, now: 0, signal: AbortSignal.timeout(8_000) });
}

describe('a mail to several recipients', () => {
  it('goes once to each, in a second attempt to nobody but who was deferred', async () => {
    const { port, mails } = await mailServer((line) => (line.includes('<b@') ? GREY : undefined));
    const first = await send(port);
    expect(first).toMatchObject({ result: 'retry', answer: `250 queued (later for b@example.org: ${GREY})` });
    const again = await mailServer();
    const second = await send(again.port, {}, { recipients: first.recipients });
    expect(second).toMatchObject({ result: 'sent', answer: '250 queued' });
    expect([...mails, ...again.mails].map(({ to }) => to)).toEqual([['a@example.org'], ['b@example.org']]);
    expect(again.mails[0]?.text).toMatch(/^To: a@example.org, b@example.org\r$/m);
  });

  it('is sent although one is refused for good, who is named', async () => {
    const { port } = await mailServer((line) => (line.includes('<b@') ? GONE : undefined));
    expect(await send(port)).toMatchObject({
      result: 'sent',
      answer: `250 queued (refused for b@example.org: ${GONE})`,
    });
  });

  it('counts two spellings of one address as one, of which neither is sent what was refused', async () => {
    const { port, lines } = await mailServer((line) => (line.startsWith('RCPT') ? GONE : undefined));
    const outcome = await send(port, { to: ['a@bücher.example', 'a@xn--bcher-kva.example'] });
    expect(lines.filter((line) => line.startsWith('RCPT'))).toHaveLength(1);
    expect(outcome).toMatchObject({ result: 'refused', recipients: { accepted: [] } });
  });

  it('is refused at once when all are, also by a server that takes DATA all the same', async () => {
    const { port, lines } = await mailServer((line) => (line.startsWith('RCPT') ? GONE : undefined));
    const before = performance.now();
    const outcome = await send(port);
    expect(performance.now() - before).toBeLessThan(2_000);
    expect(outcome.result).toBe('refused');
    expect(outcome.answer).toContain(`refused for a@example.org: ${GONE}, b@example.org: ${GONE}`);
    expect(lines).not.toContain('DATA');
  });

  it('is tried again when all are deferred, or some are and the others refused', async () => {
    const { port } = await mailServer((line) =>
      line.startsWith('RCPT') ? (line.includes('<a@') ? GONE : GREY) : undefined,
    );
    const outcome = await send(port);
    expect(outcome).toMatchObject({
      result: 'retry',
      recipients: { accepted: [], refused: { 'a@example.org': GONE } },
    });
  });

  it('that is refused or deferred as a whole has reached nobody', async () => {
    const refused = await mailServer((line) => (line === '.' ? '554 5.7.1 spam' : undefined));
    expect(await send(refused.port)).toMatchObject({
      result: 'refused',
      answer: expect.stringContaining('spam') as string,
    });
    const later = await mailServer((line) => (line === '.' ? '451 4.3.0 later' : undefined));
    const outcome = await send(later.port);
    expect(outcome.result).toBe('retry');
    expect(outcome.recipients).toBeUndefined();
  });
});

describe('the addresses of a mail', () => {
  it('reach the server as it needs them: hosts in ASCII, local parts in UTF-8, and a name that is shown', async () => {
    const { port, mails, lines } = await mailServer();
    const to = ['root@localhost', 'ops+x@bücher.example', 'müller@bücher.example', 'a..b@example.org', 'c@[127.0.0.1]'];
    expect(await send(port, { to, from: '"Wächter, Nr. 1" <tocsin@bücher.example>' })).toMatchObject({
      result: 'sent',
      recipients: { accepted: to, refused: {} },
    });
    const [mail] = mails;
    expect(mail?.to).toEqual([
      'root@localhost',
      'ops+x@xn--bcher-kva.example',
      'müller@bücher.example',
      '"a..b"@example.org',
      'c@[127.0.0.1]',
    ]);
    expect(mail?.from).toMatch(/^<tocsin@xn--bcher-kva.example>/);
    expect(lines.find((line) => line.startsWith('MAIL'))).toContain('SMTPUTF8');
    expect(mail?.text).toMatch(/^From: =\?UTF-8\?[BQ]\?\S+\?= <tocsin@xn--bcher-kva.example>\r$/m);
    expect(mail?.text).toMatch(/^Message-ID: <[0-9a-f-]+@xn--bcher-kva.example>\r$/m);
  });

  it('a refusal names the recipient as he was written', async () => {
    const { port } = await mailServer((line) => (line.includes('xn--') ? GONE : undefined));
    const outcome = await send(port, { to: ['a@example.org', 'b@bücher.example'] });
    expect(outcome.answer).toContain('refused for b@bücher.example');
  });

  it('no name puts a line of its own into the mail, whatever it is', async () => {
    const { port, mails } = await mailServer();
    const name = fc.array(fc.nat(0xffff), { maxLength: 40 }).map((codes) =>
      String.fromCharCode(...codes)
        .toWellFormed()
        .trim(),
    );
    await fc.assert(
      fc.asyncProperty(fc.oneof(name, fc.constant('x\r\nBcc: all@example.org')), async (given) => {
        mails.length = 0;
        const from = `"${given.replace(/["\\]/g, String.raw`\$&`)}" <t@example.org>`;
        await send(port, { from });
        const head = (mails[0]?.text ?? '').split('\r\n\r\n', 1)[0]!.replace(/\r\n[ \t]+/g, ' ');
        const names = head === '' ? [] : head.split('\r\n').map((line) => line.split(':', 1)[0]);
        expect(names).not.toContain('Bcc');
        expect(names.filter((one) => one === 'From').length).toBe(names.length === 0 ? 0 : 1);
      }),
      { numRuns: 60 },
    );
  });
});

describe('an alarm by mail', () => {
  let system: System;
  beforeAll(async () => {
    system = await System.start();
  }, 60_000);

  it('is sent once each recipient has it, and any instance sends it to the deferred one alone', async () => {
    let deferred = 3;
    const { port, mails } = await mailServer((line) => (line.includes('<b@') && deferred-- > 0 ? GREY : undefined));
    const smtp = { host: '127.0.0.1', port, security: 'none' as const, verify: true };
    const settings = { from: 'Tocsin <tocsin@example.org>', to: ['a@example.org', 'b@example.org'], smtp };
    const event = await system.happens({ channels: [await system.channel({ kind: 'email', name: 'mail', settings })] });
    const [row] = await system.settled(event.incidentId, ['sent']);
    expect(row).toMatchObject({ attempts: 4, answer: '250 queued' });
    expect(mails.map(({ to }) => to)).toEqual([['a@example.org'], ['b@example.org']]);
  });
});
