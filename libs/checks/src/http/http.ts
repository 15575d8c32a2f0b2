import type { SecureContext } from 'node:tls';
import type { HttpSettings } from '@tocsin/contracts';
import { isCertificates } from '@tocsin/core';
import type { Check } from '../check.ts';
import { secureContextOf } from '../connect/authority.ts';
import type { Address } from '../connect/connect.ts';
import { CheckFailure } from '../failure.ts';
import { Lru } from '../lru.ts';
import { type CheckOutcome, Run } from '../run.ts';
import { isWorthHiding, type RunSecrets } from '../run-secrets.ts';
import { plural } from '../message-text.ts';
import { BadAssertion, type Evidence, type ReadyAssertion, Undecided } from './assertion.ts';
import { compileAssertion } from './assertions.ts';
import { CpuBudget } from '../cpu-budget.ts';
import { ask, Http2Origins } from './ask.ts';
import { bodyText } from './body.ts';
import { CookieJar } from './cookies.ts';
import { paced } from './costly-work.ts';
import { afterRedirects, follow, isRedirect, tooManyRedirects } from './redirects.ts';
import { firstRequest, headerLines, type HttpRequest } from './request.ts';
import { isAccepted } from './status.ts';
import type { Answer, BodyWish } from './answer-collector.ts';
import type { ResponseHead } from './message/head.ts';
import { addressOf } from './url-address.ts';

/** What is prepared once per revision of a monitor. It holds no opened secret. */
interface Prepared {
  first: HttpRequest;
  assertions: ReadyAssertion[];
  needsBody: boolean;
  secureContext: SecureContext | undefined;
  /** Learned from one check for the next. */
  http2: Http2Origins;
  hidden: readonly string[];
}

const prepared = new Lru<Prepared>(10_000);

/** Checks an HTTP or HTTPS address over a connection of its own: request, redirects, status, assertions. */
export const checkHttp: Check<HttpSettings> = (settings, context) =>
  new Run(context).finish(async (run) => {
    const { settingsKey } = context;
    const ready = settingsKey === undefined ? prepare(settings) : prepared.get(settingsKey, () => prepare(settings));
    for (const hidden of ready.hidden) run.secrets.conceal(hidden);
    const { answer, redirects } = await fetchAnswer(run, settings, ready);
    if (!isAccepted(answer.status, settings.acceptedStatus)) {
      const message = `status ${answer.status}${afterRedirects(redirects)}, expected ${settings.acceptedStatus.join(', ')}`;
      return { verdict: 'down', reason: 'status', message };
    }
    const elapsedMs = run.elapsedMs();
    if (ready.assertions.length === 0) return ok(answer);
    run.phase = 'judging the answer';
    const text = ready.needsBody ? await bodyText(run, answer, settings.maxBodyBytes) : '';
    const from = evidence(run, { answer, redirects, text, elapsedMs });
    return (await judge(run, ready.assertions, from)) ?? ok(answer);
  });

/** @throws CheckFailure `settings` when they can't be used, which the door should have refused */
function prepare(settings: HttpSettings): Prepared {
  const { ca } = settings.tls;
  if (ca !== undefined && !isCertificates(ca))
    throw new CheckFailure('settings', 'settings: tls.ca is not a certificate');
  const assertions = compiled(settings);
  return {
    first: firstRequest(settings),
    assertions,
    needsBody: assertions.some((assertion) => assertion.needsBody),
    secureContext: ca === undefined ? undefined : secureContextOf({ ca }),
    http2: new Http2Origins(),
    hidden: hiddenOf(settings),
  };
}

/** What viewers are not shown of the settings, and a target may repeat. */
function hiddenOf({ url, body = '' }: HttpSettings): string[] {
  const { searchParams, search } = new URL(url);
  // A part without a name is a value.
  const nameless = [...new URLSearchParams(search.replaceAll(/[^?&]*=[^&]*/g, '')).keys()];
  return [...searchParams.values(), ...nameless, body].filter(isWorthHiding);
}

function compiled(settings: HttpSettings): ReadyAssertion[] {
  try {
    return settings.assertions.map(compileAssertion);
  } catch (cause) {
    if (!(cause instanceof BadAssertion)) throw cause;
    throw new CheckFailure('settings', `settings: an assertion's ${cause.field}: ${cause.message}`, { cause });
  }
}

async function fetchAnswer(
  run: Run,
  settings: HttpSettings,
  ready: Prepared,
): Promise<{ answer: Answer; redirects: number }> {
  const { follow: follows, max } = settings.redirects;
  const home = homeContext(settings, ready, run.secrets);
  const jar = new CookieJar();
  let request = ready.first;
  for (let redirects = 0; ; redirects++) {
    const cookies = jar.lineFor(request.url, run.context.clock.now());
    const question = {
      request,
      address: address(request, settings, request.trusted ? home : ready.secureContext),
      lines: () => headerLines(request, { auth: settings.auth, secrets: run.secrets, cookies }),
      body: (head: ResponseHead) => bodyWish(head, settings, ready),
    };
    const answer = await ask(run, question, ready.http2);
    const location = answer.headers.get('location');
    if (!follows || !isRedirect(answer.status, location)) return { answer, redirects };
    jar.take(answer.headers.all('set-cookie'), request.url, run.context.clock.now());
    const next = follow(request, answer.status, location);
    if (redirects === max) throw tooManyRedirects(max, request.url, next.url);
    request = next;
  }
}

/** A body is read where it decides something: not on the way, and not where the status does. */
function bodyWish({ status, headers }: ResponseHead, settings: HttpSettings, ready: Prepared): BodyWish {
  const { maxBodyBytes: maxBytes, redirects, acceptedStatus } = settings;
  if (maxBytes === 0 || !isAccepted(status, acceptedStatus)) return { take: 'none' };
  if (redirects.follow && isRedirect(status, headers.get('location'))) return { take: 'none' };
  return { take: 'all', maxBytes, keep: ready.needsBody };
}

/** TLS settings for the monitor's own origin: nobody else is shown the client's certificate. */
function homeContext({ tls }: HttpSettings, ready: Prepared, secrets: RunSecrets): SecureContext | undefined {
  const { cert, key, ca } = tls;
  if (cert === undefined || key === undefined) return ready.secureContext;
  return secureContextOf({ ca, client: { cert, key: secrets.open(key) } });
}

function address(request: HttpRequest, settings: HttpSettings, secureContext: SecureContext | undefined): Address {
  const { url } = request;
  const secure = url.protocol === 'https:';
  const atHome = url.hostname === new URL(settings.url).hostname;
  return {
    ...addressOf(url),
    family: settings.ipFamily,
    ...(secure && {
      tls: {
        verify: settings.tls.verify,
        serverName: atHome ? settings.tls.serverName : undefined,
        secureContext,
      },
    }),
  };
}

function evidence(
  run: Run,
  { answer, redirects, text, elapsedMs }: { answer: Answer; redirects: number; text: string; elapsedMs: number },
): Evidence {
  let document: { value: unknown } | { failure: unknown } | undefined;
  return {
    headers: answer.headers,
    text,
    elapsedMs,
    certificate: redirects === 0 ? run.certificate : withHost(run.certificate),
    now: run.context.clock.now(),
    json: () => {
      // Once for all assertions, also where it fails.
      document ??= parseJson(text);
      if ('failure' in document) throw document.failure;
      return document.value;
    },
  };
}

/** Where there were several servers, a message says whose certificate it is. */
function withHost(certificate: Run['certificate']): Evidence['certificate'] {
  return certificate && { ...certificate, name: `${certificate.name} of ${certificate.host}` };
}

function parseJson(text: string): { value: unknown } | { failure: Undecided } {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch (cause) {
    return { failure: new Undecided('the body is not JSON', { cause }) };
  }
}

/** All costly assertions of a check may take so much CPU time: each is bounded by itself, and there may be fifty. */
const JUDGING_MS = 300;

/** The worst of what does not hold: what makes the target down goes before what makes it degraded. */
async function judge(
  run: Run,
  assertions: readonly ReadyAssertion[],
  from: Evidence,
): Promise<CheckOutcome | undefined> {
  let worst: CheckOutcome | undefined;
  let failed = 0;
  const budget = new CpuBudget(JUDGING_MS);
  for (const assertion of assertions) {
    let message: string | undefined;
    if (!assertion.costly) message = run.work(() => assertion.judge(from));
    else if (budget.spent) message = 'not judged: the assertions before took too long';
    else message = await paced(run, () => budget.use(() => assertion.judge(from)));
    if (message === undefined) continue;
    failed++;
    if (!worst || (worst.verdict === 'degraded' && assertion.severity === 'down')) {
      worst = { verdict: assertion.severity, reason: 'assertion', message };
    }
  }
  if (worst && failed > 1) worst.message += ` (and ${plural(failed - 1, 'other assertion')})`;
  return worst;
}

function ok(answer: Answer): CheckOutcome {
  return { verdict: 'up', reason: 'ok', message: `status ${answer.status}` };
}
