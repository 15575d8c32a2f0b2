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
