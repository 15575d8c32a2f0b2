import type { TcpSettings } from '@tocsin/contracts';
import { isCertificates } from '@tocsin/core';
import type { Check } from '../check.ts';
import { secureContextOf } from '../connect/authority.ts';
import { connect, type TlsWish } from '../connect/connect.ts';
import { tooFewDays } from '../connect/days-left.ts';
import { CheckFailure } from '../failure.ts';
import { Lru } from '../lru.ts';
import { type CheckOutcome, Run } from '../run.ts';
import { isWorthHiding } from '../run-secrets.ts';
import { quote } from '../message-text.ts';
import { receive, send } from './talk.ts';

/** What a monitor sends or waits for: text, or bytes in hexadecimal. */
interface Words {
  bytes: Buffer;
  shown: string;
}

/** Checks that a port accepts connections and, where wished, speaks TLS and answers with what is expected. */
export const checkTcp: Check<TcpSettings> = (settings, context) =>
  new Run(context).finish(async (run) => {
    const { host, port, ipFamily: family } = settings;
    const socket = await connect(run, { host, port, family, tls: tlsOf(settings, run) });
    const sent = words(settings.send, settings.sendHex);
    for (const hidden of [sent?.bytes.toString() ?? '', settings.sendHex ?? ''])
      if (isWorthHiding(hidden)) run.secrets.conceal(hidden);
    if (sent) await send(run, socket, sent.bytes);
    const expected = words(settings.expect, settings.expectHex);
    if (expected) await receive(run, socket, expected.bytes, expected.shown);
    return (
      aging(settings, run) ?? {
        verdict: 'up',
        reason: 'ok',
        message: expected ? `received ${expected.shown}` : 'connected',
      }
    );
  });

function words(text: string | undefined, hex: string | undefined): Words | undefined {
  if (text !== undefined) return { bytes: Buffer.from(text), shown: quote(text) };
  if (hex === undefined) return undefined;
  const bytes = Buffer.from(hex.replace(/\s/g, ''), 'hex');
  return { bytes, shown: `the bytes ${bytes.toString('hex', 0, 20)}${bytes.length > 20 ? '…' : ''}` };
}

/** What is trusted is made once per revision of a monitor; what holds a client's key is made for one check. */
const trusted = new Lru<NonNullable<TlsWish['secureContext']>>(10_000);

function tlsOf({ tls }: TcpSettings, run: Run): TlsWish | undefined {
  if (!tls) return undefined;
  const { verify, serverName, ca, cert, key } = tls;
  if (ca !== undefined && !isCertificates(ca))
    throw new CheckFailure('settings', 'settings: tls.ca is not a certificate');
  const { settingsKey } = run.context;
  if (cert !== undefined && key !== undefined) {
    return { verify, serverName, secureContext: secureContextOf({ ca, client: { cert, key: run.secrets.open(key) } }) };
  }
  if (ca === undefined) return { verify, serverName };
  const make = () => secureContextOf({ ca });
  return { verify, serverName, secureContext: settingsKey === undefined ? make() : trusted.get(settingsKey, make) };
}

function aging({ tls }: TcpSettings, run: Run): CheckOutcome | undefined {
  if (tls?.minDaysLeft === undefined || !run.certificate) return undefined;
  const message = tooFewDays(run.certificate, tls.minDaysLeft, run.context.clock.now());
  return message === undefined ? undefined : { verdict: 'degraded', reason: 'assertion', message };
}
