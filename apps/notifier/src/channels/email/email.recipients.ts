import type { Recipients } from '../../notifications/notification.ts';
import type { SendOutcome } from '../sender.ts';

export const NOBODY: Recipients = { accepted: [], refused: {} };

/** What a mail server said to a recipient that it did not take. */
export interface Refusal {
  /** SMTP's: 4yz may work later, 5yz never will (RFC 5321, 4.2.1). */
  code: number;
  text: string;
}

/** Those who have not got the mail and may get it. */
export function openRecipients(to: readonly string[], { accepted, refused }: Recipients): string[] {
  return [...new Set(to)].filter((one) => !accepted.includes(one) && !Object.hasOwn(refused, one));
}

/**
 * What an attempt came to for which the server answered about each recipient: sent once each of them is settled and one
 * has got it, tried again while somebody is to get it later.
 * @param tried whom the mail was offered for
 * @param refusals what was said to those of them who were not taken
 * @param answer what the server said of the mail
 */
export function outcomeFor(
  to: readonly string[],
  before: Recipients,
  { tried, refusals, answer }: { tried: readonly string[]; refusals: ReadonlyMap<string, Refusal>; answer: string },
): SendOutcome {
  const refused = [...refusals].filter(([, { code }]) => code >= 500).map(([one, { text }]) => [one, text] as const);
  const recipients: Recipients = {
    accepted: [...before.accepted, ...tried.filter((one) => !refusals.has(one))],
    refused: { ...before.refused, ...Object.fromEntries(refused) },
  };
  const deferred = openRecipients(to, recipients).map((one) => `${one}: ${refusals.get(one)?.text ?? 'not tried'}`);
  const named = Object.entries(recipients.refused).filter(([one]) => to.includes(one));
  const result = deferred.length > 0 ? 'retry' : recipients.accepted.length > 0 ? 'sent' : 'refused';
  return { result, answer: `${answer}${said('refused for', named.map((pair) => pair.join(': ')))}${said('later for', deferred)}`, recipients }; // prettier-ignore
}

function said(what: string, whom: readonly string[]): string {
  return whom.length === 0 ? '' : ` (${what} ${whom.join(', ')})`;
}
