import { durationMs, isSealed, keyPairProblem } from '@tocsin/core';
import { z } from 'zod';
import {
  duration,
  epochMs,
  HIDDEN,
  host,
  id,
  line,
  locationName,
  longestSealed,
  secret,
  tag,
  text,
} from '../schema/fields.ts';
import { basicProblem, credentialProblem, headerProblem } from './kinds/http/header.ts';
import { marked } from '../schema/marks.ts';
import { tightened, tolerant } from '../schema/tolerant.ts';

/** Configuration of what is watched. The same shape is the REST body and, with secrets sealed, the internal record. */

const ipFamily = z.enum(['any', '4', '6']).default('any');

const severity = z.enum(['down', 'degraded']).default('down');

const headerName = z
  .string()
  .max(128)
  .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, { error: 'not a header name (RFC 9110)' });

const LONGEST_HEADER = 4096;

const headerValue = z
  .string()
  .max(longestSealed(LONGEST_HEADER))
  .refine((value) => headerProblem(value) === undefined, { error: (issue) => headerProblem(String(issue.input)) })
  .refine((value) => isSealed(value) || value.length <= LONGEST_HEADER, {
    error: `must be at most ${LONGEST_HEADER} characters`,
  })
  .meta({ maxLength: LONGEST_HEADER });

const secretHeader = z.strictObject({ value: headerValue, secret: z.literal(true) }).meta({
  description: `A secret value, read back as ${HIDDEN}, which, sent again, keeps it. Authorization, Cookie and the like are secret without it`,
});

const headers = marked(
  'headers',
  z
    .record(headerName, z.union([headerValue, secretHeader]))
    .refine((given) => Object.keys(given).length <= 50, { error: 'at most 50 headers' }),
);

const pem = (label: string) => z.string().max(65_536).startsWith(`-----BEGIN ${label}-----`);
const ca = pem('CERTIFICATE')
  .optional()
  .meta({ description: 'Authorities to trust in place of the usual ones: certificates in PEM, one after the other' });

/** Whom the check says that it is, to servers that ask clients for a certificate. */
const clientCertificate = {
  cert: pem('CERTIFICATE')
    .optional()
    .meta({ description: "The check's own certificate in PEM, with those in between; needs `key`" }),
  key: secret(16_384, { problem: keyProblem })
    .optional()
    .meta({ description: `The private key of \`cert\` in PEM, not encrypted. Write-only: read back as ${HIDDEN}` }),
};

const minDaysLeft = z.int().min(0).max(3650);

const hexBytes = (max: number) =>
  z
    .string()
    .min(2)
    .max(max * 3)
    .regex(/^\s*(?:[0-9a-fA-F]{2}\s*)+$/, { error: 'expected bytes in hexadecimal, such as 00 ff 0d 0a' })
    .refine((value) => value.replace(/\s/g, '').length <= max * 2, { error: `must be at most ${max} bytes` });

/** An answer with 1xx is not the last one. They were taken once, and are stored. */
const statusRange = tightened(
  z.string().regex(/^[2-5]\d\d(-[2-5]\d\d)?$/, {
    error:
      'expected a status code from 200 to 599, such as 204, or a range such as 200-299 (1xx is never the last answer)',
  }),
  z.string().regex(/^[1-5]\d\d(-[1-5]\d\d)?$/),
);

const pattern = z.string().min(1).max(1000).meta({ description: 'RE2 syntax: linear time, no look-around' });

export const assertion = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('header'),
    name: headerName,
    op: z.enum(['exists', 'absent', 'equals', 'contains', 'matches']),
    value: z.string().max(1000).optional(),
    severity,
  }),
  z.strictObject({
    type: z.literal('body'),
    op: z.enum(['equals', 'contains', 'not_contains', 'matches', 'not_matches']),
    value: pattern,
    severity,
  }),
  z.strictObject({
    type: z.literal('json'),
    path: z.string().min(1).max(500).meta({ description: 'JSONPath (RFC 9535), such as $.status' }),
    op: z.enum(['exists', 'absent', 'equals', 'not_equals', 'contains', 'matches', 'less', 'greater']),
    value: z.union([z.string().max(1000), z.number(), z.boolean(), z.null()]).optional(),
    severity,
  }),
  z.strictObject({
    type: z.literal('response_time'),
    lessThan: duration('1ms', '5m'),
    severity: z.enum(['down', 'degraded']).default('degraded'),
  }),
  z.strictObject({
    type: z.literal('certificate'),
    minDaysLeft,
    severity: z.enum(['down', 'degraded']).default('degraded'),
  }),
]);
export type Assertion = z.infer<typeof assertion>;

export const httpSettings = z.strictObject({
  url: marked(
    'query',
    z
      .url({ protocol: /^https?$/, error: 'expected an http:// or https:// URL' })
      .max(2048)
      .refine(hasNoCredentials, {
        error: 'put credentials into auth, not into the URL',
      }),
  ),
  method: z.enum(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']).default('GET'),
  headers: headers.default({}),
  body: marked('text', z.string().max(65_536)).optional(),
  auth: z
    .discriminatedUnion('type', [
      z.strictObject({
        type: z.literal('basic'),
        username: line(255, 0),
        password: secret(4096, { min: 0, problem: basicProblem }),
      }),
      z.strictObject({ type: z.literal('bearer'), token: secret(4096, { problem: credentialProblem }) }),
    ])
    .optional(),
  redirects: z
    .strictObject({ follow: z.boolean().default(true), max: z.int().min(0).max(20).default(5) })
    .default({ follow: true, max: 5 }),
  acceptedStatus: z.array(statusRange).min(1).max(20).default(['200-299']),
  assertions: z.array(assertion).max(50).default([]),
  tls: z
    .strictObject({
      verify: z.boolean().default(true),
      serverName: host.optional(),
      ca,
      ...clientCertificate,
    })
    .default({ verify: true }),
  ipFamily,
  maxBodyBytes: z.int().min(0).max(10_485_760).default(1_048_576).meta({
    description: 'Bytes; a longer body fails the check. 0: the body is not read, the check ends with the headers',
  }),
});
export type HttpSettings = z.infer<typeof httpSettings>;

export const tcpSettings = z.strictObject({
  host,
  port: z.int().min(1).max(65_535),
  tls: z
    .strictObject({
      verify: z.boolean().default(true),
      serverName: host.optional(),
      ca,
      ...clientCertificate,
      minDaysLeft: minDaysLeft
        .optional()
        .meta({ description: 'Degraded when the certificate, or one above it, ends in fewer days' }),
    })
    .optional()
    .meta({ description: 'Present: a TLS handshake follows the connection' }),
  send: marked('text', z.string().max(4096)).optional(),
  sendHex: marked('text', hexBytes(4096))
    .optional()
    .meta({ description: 'Bytes to send, in hexadecimal, in place of `send`' }),
  expect: z.string().min(1).max(1000).optional().meta({ description: 'Text that must arrive within the timeout' }),
  expectHex: hexBytes(1000)
    .optional()
    .meta({ description: 'Bytes that must arrive within the timeout, in hexadecimal, in place of `expect`' }),
  ipFamily,
});
export type TcpSettings = z.infer<typeof tcpSettings>;

export const heartbeatSettings = z.strictObject({
  schedule: z.union([
    z.strictObject({ every: duration('1s', '366d') }),
    z.strictObject({ cron: line(120), timezone: line(64).default('UTC') }),
  ]),
  grace: duration('0s', '30d').default('1m'),
});
export type HeartbeatSettings = z.infer<typeof heartbeatSettings>;

const common = {
  name: line(120),
  description: text(2000).default(''),
  tags: z.array(tag).max(20).default([]),
  channels: z.array(id).max(20).default([]),
  paused: z.boolean().default(false),
  failureThreshold: z.int().min(1).max(20).default(1).meta({ description: 'Windows in a row that must fail' }),
  recoveryThreshold: z.int().min(1).max(20).default(1).meta({ description: 'Windows in a row that must succeed' }),
  remindEvery: duration('1m', '30d').optional().meta({ description: 'Remind while the incident is open' }),
};

const probed = {
  ...common,
  interval: duration('1s', '1d').default('1m'),
  timeout: duration('100ms', '5m').default('10s').meta({ description: 'For the whole check' }),
  confirm: z.boolean().default(true).meta({ description: 'A failure is first confirmed at once by another prober' }),
  locations: z.array(locationName).min(1).max(20).default(['default']),
  quorum: z.int().min(1).max(20).default(1).meta({ description: 'How many locations must agree that it is down' }),
};

interface Grid {
  kind: string;
  interval?: string | undefined;
  timeout?: string | undefined;
  locations?: string[] | undefined;
  quorum?: number | undefined;
}

function checkGrid<T extends Grid>(spec: T, context: z.RefinementCtx<T>): void {
  const { interval, timeout, locations, quorum } = spec;
  if (interval === undefined || timeout === undefined || locations === undefined || quorum === undefined) return;
  if (durationMs(timeout) > Math.max(durationMs(interval), 10_000)) {
    context.addIssue({ code: 'custom', path: ['timeout'], message: 'must not be longer than the interval' });
  }
  if (quorum > locations.length) {
    context.addIssue({ code: 'custom', path: ['quorum'], message: 'must not exceed the number of locations' });
  }
  if (new Set(locations).size !== locations.length) {
    context.addIssue({ code: 'custom', path: ['locations'], message: 'must not name a location twice' });
  }
}

/** What a person sends to create or replace a monitor. Unknown fields are refused. */
export const monitorSpec = z
  .discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('http'), ...probed, settings: httpSettings }),
    z.strictObject({ kind: z.literal('tcp'), ...probed, settings: tcpSettings }),
    z.strictObject({ kind: z.literal('heartbeat'), ...common, settings: heartbeatSettings }),
  ])
  .superRefine((spec, context) => {
    checkGrid(spec, context);
    if (spec.kind === 'heartbeat') return;
    const { cert, key } = spec.settings.tls ?? {};
    if (cert !== undefined && key !== undefined && key !== HIDDEN && !isSealed(key)) {
      const message = keyPairProblem(cert, key);
      if (message) context.addIssue({ code: 'custom', path: ['settings', 'tls', 'key'], message });
    }
  });
export type MonitorSpec = z.infer<typeof monitorSpec>;
export type MonitorSpecInput = z.input<typeof monitorSpec>;
export type MonitorKind = MonitorSpec['kind'];

const record = {
  id,
  revision: z.int().min(1),
  createdAt: epochMs,
  updatedAt: epochMs,
  /**
   * When its present grid took effect: its creation, its resumption, or the last change of its kind, interval or
   * locations. Windows due after this time, and no others, are expected of the present grid.
   */
  gridSince: epochMs,
};

/** A monitor as it is kept: its specification and its record. `revision` grows with every change (the ETag). */
export const monitor = z.object({ ...record, spec: tolerant(monitorSpec) });
export type Monitor = z.infer<typeof monitor>;

const anyKind = z.string().min(1).max(64);
const probedOfAnyKind = tolerant(
  z.strictObject({ kind: anyKind, ...probed, interval: duration('1s', '1d'), settings: z.unknown() }),
);
const otherOfAnyKind = tolerant(
  z.strictObject({ kind: anyKind, ...common, interval: z.undefined().optional(), settings: z.unknown() }),
);

/**
 * A monitor as those read it who neither own it nor run its check. A later version may have kinds and settings that this one does
 * not know, so these are passed on as they are. Whether it is checked on a grid is told by its interval, not by its kind.
 */
export const anyMonitor = z.object({
  ...record,
  spec: z.union([probedOfAnyKind, otherOfAnyKind]).superRefine(checkGrid),
});
export type AnyMonitor = z.infer<typeof anyMonitor>;
export type AnyMonitorSpec = AnyMonitor['spec'];
/** A specification with a grid: somebody checks it, window after window. */
export type ProbedSpec = z.infer<typeof probedOfAnyKind>;

/** Whether somebody checks it on a grid; a heartbeat waits to be called. */
export function isProbed(spec: AnyMonitorSpec): spec is ProbedSpec {
  return spec.interval !== undefined;
}

/** The settings of a heartbeat; undefined for other kinds, and for a heartbeat with a schedule of a later version. */
export function heartbeatOf(spec: AnyMonitorSpec): HeartbeatSettings | undefined {
  return spec.kind === 'heartbeat' ? tolerant(heartbeatSettings).safeParse(spec.settings).data : undefined;
}

/** What CONFIG carries per monitor: the newest record, or the fact that it is gone. Older revisions are ignored. */
export const monitorConfig = z.union([
  anyMonitor,
  z.object({
    id,
    revision: z.int().min(1),
    deleted: z.literal(true),
    /** When it was deleted: windows due after this time are not expected. Absent where it is not known. */
    at: epochMs.optional(),
  }),
]);
export type MonitorConfig = z.infer<typeof monitorConfig>;

function keyProblem(value: string): string | undefined {
  if (value.startsWith('-----BEGIN ENCRYPTED')) return 'is encrypted: send it without its passphrase';
  return /^-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----/.test(value) ? undefined : 'expected a private key in PEM';
}

function hasNoCredentials(url: string): boolean {
  try {
    const { username, password } = new URL(url);
    return username === '' && password === '';
  } catch {
    return true; // not a URL at all: the other rule says so
  }
}
