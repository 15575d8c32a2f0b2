import type { AddressInfo } from 'node:net';
import { newId, sealSecret } from '@tocsin/core';
import { atTheEnd, certificate } from '@tocsin/testing';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { beforeAll, expect, it } from 'vitest';
import { KEY, System } from './system.ts';

let system: System;

beforeAll(async () => {
  system = await System.start();
}, 60_000);

/** A mail server that keeps what it accepts, and refuses with the given codes first. */
async function mailServer(
  o: SMTPServerOptions & { refuse?: number[] } = {},
): Promise<{ port: number; mails: string[]; tries: string[] }> {
  const { refuse = [], ...options } = o;
  const mails: string[] = [];
  const tries: string[] = [];
  const server = new SMTPServer({
    authOptional: true,
    disableReverseLookup: true,
    ...options,
    onData(stream, _session, done) {
      let mail = '';
      stream.on('data', (chunk: Buffer) => (mail += chunk.toString()));
      stream.on('end', () => {
        tries.push(mail);
        const code = refuse.shift();
        if (code !== undefined) return done(Object.assign(new Error('not now'), { responseCode: code }));
        mails.push(mail);
        done();
      });
    },
  });
  server.on('error', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  atTheEnd(() => new Promise<void>((resolve) => server.close(() => resolve())));
  return { port: (server.server.address() as AddressInfo).port, mails, tries };
}

type Smtp = { security?: 'tls' | 'starttls' | 'none'; verify?: boolean; username?: string; password?: string };

function mailChannel(port: number, smtp: Smtp = {}): Promise<string> {
  const password = smtp.password === undefined ? {} : { password: sealSecret(KEY, smtp.password) };
  const settings = {
    to: ['ops@example.org', 'night@example.org'],
    from: 'tocsin@example.net',
    smtp: { host: '127.0.0.1', port, security: 'none' as const, verify: true, ...smtp, ...password },
  };
  return system.channel({ kind: 'email', name: 'mail', settings });
}

/** A header of a mail, unfolded; what stands in the body is none. */
function header(mail: string | undefined, name: string): string | undefined {
  const head = (mail ?? '').split('\r\n\r\n', 1)[0]!.replace(/\r\n[ \t]+/g, ' ');
  return new RegExp(`^${name}: (.*)$`, 'im').exec(head)?.[1]?.trim();
}

it('a mail has a plain and an HTML part, no forged header, and goes to everybody', async () => {
  const { port, mails } = await mailServer();
  const channel = await mailChannel(port);
  const event = await system.happens({
    channels: [channel],
    monitorName: 'x\r\nBcc: all@example.org',
    message: '<b>503</b>',
  });
  const [row] = await system.settled(event.incidentId, ['sent']);
  expect(row).toMatchObject({ to: 'ops@example.org, night@example.org' });
  const [mail] = mails;
  expect(header(mail, 'Content-Type')).toMatch(/multipart\/alternative/);
  expect(mail).toMatch(/text\/plain/);
  expect(mail).toMatch(/text\/html/);
  expect(mail).toContain('&#60;b&#62;503');
  expect(header(mail, 'Bcc')).toBeUndefined();
  expect(header(mail, 'Subject')).toContain('Bcc: all@example.org');
  expect(header(mail, 'Message-ID')).toBe(`<${String(row?.['id'])}@example.net>`);
  expect(header(mail, 'To')).toBe('ops@example.org, night@example.org');
});

it('a mail that is deferred (4xx) is sent again with the same Message-ID and date', async () => {
  const { port, mails, tries } = await mailServer({ refuse: [451, 421] });
  const event = await system.happens({ channels: [await mailChannel(port)] });
  expect((await system.settled(event.incidentId, ['sent']))[0]).toMatchObject({ attempts: 3 });
  expect(mails).toHaveLength(1);
  expect(new Set(tries.map((mail) => header(mail, 'Message-ID'))).size).toBe(1);
  expect(new Set(tries.map((mail) => header(mail, 'Date'))).size).toBe(1);
});

it('a mail that is refused (5xx) is not sent again', async () => {
  const { port, tries } = await mailServer({ refuse: [550] });
  const event = await system.happens({ channels: [await mailChannel(port)] });
  const [row] = await system.settled(event.incidentId, ['failed']);
  expect(row).toMatchObject({ attempts: 1, answer: expect.stringContaining('550') as string });
  expect(tries).toHaveLength(1);
});

it('credentials are opened and sent over TLS only, and never shown', async () => {
  const { key, cert } = await certificate('valid');
  const seen: unknown[] = [];
  const onAuth: SMTPServerOptions['onAuth'] = ({ username, password }, _session, done) => {
    seen.push([username, password]);
    done(password === 'right' ? null : new Error(`no: ${String(password)}`), { user: username });
  };
  const { port, mails } = await mailServer({ key, cert, authOptional: false, onAuth });
  const login = { security: 'starttls' as const, verify: false, username: 'me' };
  expect(await system.test(await mailChannel(port, { ...login, password: 'right' }))).toMatchObject({ status: 'sent' });
  expect(seen).toEqual([['me', 'right']]);
  expect(mails).toHaveLength(1);
  const refused = await system.test(await mailChannel(port, { ...login, password: 'wrong-secret' }));
  expect(refused).toMatchObject({ status: 'failed', answer: expect.stringContaining('535') as string });
  expect(refused.answer).not.toContain('wrong-secret');
});

it('a certificate that is not trusted is refused where verification is on', async () => {
  const { key, cert } = await certificate('valid');
  const { port, mails } = await mailServer({ key, cert });
  const view = await system.test(await mailChannel(port, { security: 'starttls' }));
  expect(view).toMatchObject({ status: 'failed', answer: expect.stringMatching(/certificate|self.signed/i) as string });
  expect(mails).toHaveLength(0);
});

it('a server that does not offer STARTTLS is not spoken to in plain', async () => {
  const { port, mails } = await mailServer({ disabledCommands: ['STARTTLS'] });
  const view = await system.test(await mailChannel(port, { security: 'starttls' }));
  expect(view.status).toBe('failed');
  expect(mails).toHaveLength(0);
});

it('a server that says nothing is given up on', async () => {
  const { createServer } = await import('node:net');
  const silent = createServer(() => undefined);
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  atTheEnd(() => void silent.close());
  const view = await system.test(await mailChannel((silent.address() as AddressInfo).port), newId());
  expect(view.status).toBe('failed');
  expect(view.answer).toMatch(/greeting|timeout|too long/i);
});
