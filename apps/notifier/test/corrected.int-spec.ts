import { randomBytes } from 'node:crypto';
import type { ChannelSpec } from '@tocsin/contracts';
import { sealSecret } from '@tocsin/core';
import { atTheEnd, Sink, until } from '@tocsin/testing';
import { beforeAll, expect, it } from 'vitest';
import { mailServer } from './mail-server.ts';
import { KEY, System } from './system.ts';

let system: System;

beforeAll(async () => {
  system = await System.start();
}, 60_000);

/** Tells a channel that it can't send to, then the same channel as its owner corrects it. */
async function sentOnceCorrected(wrong: ChannelSpec, right: ChannelSpec, said: RegExp): Promise<void> {
  const channel = await system.channel(wrong);
  const { incidentId } = await system.happens({ channels: [channel] });
  const answered = async (): Promise<boolean> =>
    said.test(String((await system.notifications(incidentId))[0]?.['answer']));
  await until(answered, { what: 'the first attempt' });
  const [row] = await system.notifications(incidentId);
  expect(['pending', 'sending']).toContain(row?.['status']);
  await system.channel(right, 2, channel);
  await system.settled(incidentId, ['sent'], 25_000);
}

it('a secret that does not open is tried again, and the notification is sent once the secret was sent again', async () => {
  const sink = await Sink.start();
  atTheEnd(() => sink.stop());
  const hook = (secret: string): ChannelSpec => ({
    kind: 'webhook',
    name: 'hook',
    settings: { url: sink.url, secret },
  });
  const wrong = hook(sealSecret([randomBytes(32)], 's'));
  await sentOnceCorrected(wrong, hook(sealSecret(KEY, 's')), /does not open/);
  expect(sink.arrivals).toHaveLength(1);
  expect(await system.test(await system.channel(wrong))).toMatchObject({ status: 'failed' });
});

it('a login that the mail server refuses is tried again, and the mail is sent once the password is corrected', async () => {
  const login = Buffer.from('\0ops\0right').toString('base64');
  const answer = (line: string): string | undefined =>
    line.startsWith('AUTH') ? (line.endsWith(login) ? '235 welcome' : '535 5.7.8 bad credentials') : undefined;
  const { port, mails } = await mailServer(answer, ['AUTH PLAIN']);
  const mail = (password: string): ChannelSpec => {
    const smtp = { host: '127.0.0.1', port, security: 'none', verify: true, username: 'ops' } as const;
    const settings = { to: ['ops@example.org'], from: 'tocsin@example.org' };
    return {
      kind: 'email',
      name: 'mail',
      settings: { ...settings, smtp: { ...smtp, password: sealSecret(KEY, password) } },
    };
  };
  await sentOnceCorrected(mail('wrong'), mail('right'), /535/);
  expect(mails).toHaveLength(1);
  expect(await system.test(await system.channel(mail('wrong')))).toMatchObject({ status: 'failed' });
});
