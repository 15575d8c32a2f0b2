import { generate } from 'selfsigned';

/** A certificate made for a test: `ca` is what a client that shall trust it is given. */
export interface TestCertificate {
  key: string;
  cert: string;
  ca: string;
}

/** What is wrong with it, if anything. */
export type CertificateKind = 'valid' | 'expired' | 'wrong-host';

const DAY_MS = 86_400_000;
const made = new Map<CertificateKind, Promise<TestCertificate>>();

/** A self-signed certificate for `localhost` and 127.0.0.1; made once per process and kind. `expired` ended 3 days ago. */
export function certificate(kind: CertificateKind): Promise<TestCertificate> {
  const known = made.get(kind);
  if (known) return known;
  const making = make(kind);
  made.set(kind, making);
  return making;
}

async function make(kind: CertificateKind): Promise<TestCertificate> {
  const host = kind === 'wrong-host' ? 'elsewhere.example' : 'localhost';
  const ends = Date.now() + (kind === 'expired' ? -3.5 : 30) * DAY_MS;
  const pems = await generate([{ name: 'commonName', value: host }], {
    keyType: 'ec',
    algorithm: 'sha256',
    notBeforeDate: new Date(ends - 90 * DAY_MS),
    notAfterDate: new Date(ends),
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      {
        name: 'subjectAltName',
        altNames: [{ type: 2, value: host }, ...(kind === 'wrong-host' ? [] : [{ type: 7 as const, ip: '127.0.0.1' }])],
      },
    ],
  });
  return { key: pems.private, cert: pems.cert, ca: pems.cert };
}

/** A certificate, its key, and what a server sends: itself and those above it, without the root. */
export interface IssuedCertificate {
  key: string;
  cert: string;
  chain: string;
}

export interface IssueOptions {
  /** The common name; by default `localhost`. */
  name?: string;
  /** Who signs it; it signs itself without one. */
  by?: IssuedCertificate;
  /** It may sign others. */
  ca?: boolean;
  /** Beside `ca`: how many others may be in between. */
  pathLength?: number;
  /** The names and addresses in its subjectAltName; by default, of what is no authority, `localhost` and 127.0.0.1. */
  names?: readonly string[];
  ips?: readonly string[];
  /** When it begins and ends, in days from now. */
  from?: number;
  days?: number;
  digest?: 'sha256' | 'sha1';
  /** An RSA key of so many bits; by default the key is an elliptic one. Whoever signs must have the same kind. */
  rsaBits?: number;
  /** What it is for, of what is no authority. */
  usage?: 'server' | 'client';
  /** Has the key and the name of this one: another signature for the same. */
  like?: IssuedCertificate & { public: string };
}

/** Makes a certificate of a chain: `root = issue({ca: true})`, `leaf = issue({by: root})`. */
export async function issue(o: IssueOptions = {}): Promise<IssuedCertificate & { public: string }> {
  const ips = o.ips ?? (o.ca || o.names ? [] : ['127.0.0.1']);
  const altNames = [
    ...(o.names ?? (o.ca || o.ips ? [] : ['localhost'])).map((value) => ({ type: 2 as const, value })),
    ...ips.map((ip) => ({ type: 7 as const, ip })),
  ];
  const pems = await generate([{ name: 'commonName', value: o.name ?? 'localhost' }], {
    ...(o.rsaBits === undefined ? { keyType: 'ec' } : { keyType: 'rsa', keySize: o.rsaBits }),
    algorithm: o.digest ?? 'sha256',
    notBeforeDate: new Date(Date.now() + (o.from ?? -30) * DAY_MS),
    notAfterDate: new Date(Date.now() + (o.days ?? 90) * DAY_MS),
    extensions: [
      o.ca
        ? { name: 'basicConstraints', cA: true, critical: true, ...pathLengthOf(o) }
        : { name: 'basicConstraints', cA: false },
      o.ca ? { name: 'keyUsage', keyCertSign: true, critical: true } : { name: 'keyUsage', digitalSignature: true },
      ...(o.ca ? [] : [{ name: 'extKeyUsage' as const, [o.usage === 'client' ? 'clientAuth' : 'serverAuth']: true }]),
      ...(altNames.length === 0 ? [] : [{ name: 'subjectAltName' as const, altNames }]),
    ],
    ...(o.by ? { ca: { key: o.by.key, cert: o.by.cert } } : {}),
    ...(o.like ? { keyPair: { privateKey: o.like.key, publicKey: o.like.public } } : {}),
  });
  // Of a root nothing is sent: whoever trusts it has it.
  const chain = o.by ? `${pems.cert}\n${o.by.chain}` : '';
  return { key: pems.private, public: pems.public, cert: pems.cert, chain };
}

function pathLengthOf({ pathLength }: IssueOptions): { pathLenConstraint?: number } {
  return pathLength === undefined ? {} : { pathLenConstraint: pathLength };
}
