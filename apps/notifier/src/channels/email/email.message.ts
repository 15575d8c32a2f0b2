import { rfc3339 } from '@tocsin/contracts';
import type { Notification } from '../../notifications/notification.ts';

/** A mail's texts. */
export interface MailText {
  subject: string;
  text: string;
  html: string;
}

const LONGEST_SUBJECT = 200;
// oxlint-disable-next-line no-control-regex -- control characters are what it takes out
const BREAKS = /[\u0000-\u001f\u007f\u2028\u2029]+/g;

const WORDS = {
  opened: 'Incident opened',
  acknowledged: 'Incident acknowledged',
  resolved: 'Incident resolved',
  reminder: 'Incident still open',
  test: 'Test',
} as const;

/** Writes the mail of a notification, the same on every attempt. */
export function mailText(n: Notification): MailText {
  const rows = rowsOf(n);
  const heading = n.event ? `${WORDS[n.kind]}: ${n.event.monitorName}` : 'Tocsin: a test of this channel';
  const text = [heading, '', ...rows.map(([name, value]) => `${name}: ${value}`), ''].join('\n');
  const cells = rows.map(([name, value]) => `<tr><th align="left">${escape(name)}</th><td>${escape(value)}</td></tr>`);
  const html = `<!doctype html><html><body><h2>${escape(heading)}</h2><table cellpadding="4">${cells.join('')}</table></body></html>`;
  return { subject: oneLine(subjectOf(n)), text, html };
}

function subjectOf(n: Notification): string {
  if (!n.event) return `[test] ${n.channelName}`;
  const { monitorName, state, message } = n.event;
  const mark = n.kind === 'resolved' ? 'resolved' : n.kind === 'acknowledged' ? 'acknowledged' : state;
  return `[${mark}] ${monitorName}${n.kind === 'resolved' ? '' : `: ${message}`}`;
}

function rowsOf(n: Notification): [string, string][] {
  if (!n.event) return [['Channel', n.channelName]];
  const { event } = n;
  const rows: [string, string | undefined][] = [
    ['Monitor', event.monitorName],
    ['State', event.state],
    ['Reason', event.message || event.reason],
    ['Opened', rfc3339(event.openedAt)],
    [n.kind === 'resolved' ? 'Resolved' : 'Acknowledged', laterAt(n)],
    ['By', event.by],
    ['Note', event.note],
    ['Reminder', n.kind === 'reminder' ? String(n.step) : undefined],
    ['Incident', event.incidentId],
  ];
  return rows.filter((row): row is [string, string] => row[1] !== undefined);
}

function laterAt(n: Notification): string | undefined {
  if (n.kind !== 'resolved' && n.kind !== 'acknowledged') return undefined;
  return n.event && rfc3339(n.event.at);
}

/** A header's value: a line break in it would begin another header. */
function oneLine(text: string): string {
  return text.replace(BREAKS, ' ').slice(0, LONGEST_SUBJECT).toWellFormed();
}

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`).replaceAll('\n', '<br>');
}
