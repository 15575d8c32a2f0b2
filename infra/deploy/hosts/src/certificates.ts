import { X509Certificate } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generate } from 'selfsigned';
import type { Inventory } from './inventory.ts';

/** A certificate and its key, both PEM. */
export interface Certificate {
  certificate: string;
  key: string;
}

/** Who signs, and what each host and the edge show. */
export interface Certificates {
  authority: string;
  hosts: ReadonlyMap<string, Certificate>;
  edge: Certificate;
}

const DAY_MS = 86_400_000;
const AUTHORITY_DAYS = 3_650;
const DAYS = 397;
/** Rendering anew replaces a certificate that has less than this left. */
const RENEW_DAYS = 60;

/**
 * Reads the deployment's certificates from a folder and makes what is missing, soon over, or for other names: an authority
 * of its own, a certificate for each host's servers and clients, and one for the edge (put one of a public authority in
 * `edge.crt` and `edge.key` to be trusted by browsers: it is kept).
 */
export async function loadCertificates(folder: string, { hosts, edge }: Inventory): Promise<Certificates> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const authority = await kept(folder, 'ca', [], () =>
    make('Tocsin', AUTHORITY_DAYS, [{ name: 'basicConstraints', cA: true, critical: true }]),
  );
  const signed = (file: string, names: string[], addresses: string[]): Promise<Certificate> =>
    kept(folder, file, [...names, ...addresses], () => {
      const altNames = [
        ...names.map((value) => ({ type: 2 as const, value })),
        ...addresses.map((ip) => ({ type: 7 as const, ip })),
      ];
      return make(names[0] ?? addresses[0]!, DAYS, [{ name: 'subjectAltName', altNames }], authority);
    });
  const each = hosts.map(async ({ name, address }) => {
    return [name, await signed(`host-${name}`, [name, 'localhost'], [address, '127.0.0.1'])] as const;
  });
  return {
    authority: authority.certificate,
    hosts: new Map(await Promise.all(each)),
    edge: await signed('edge', edge.names, edge.addresses),
  };
}

/** The certificate in the folder, or a new one where it does not do. */
async function kept(
  folder: string,
  name: string,
  subjects: readonly string[],
  fresh: () => Promise<Certificate>,
): Promise<Certificate> {
  const [crt, key] = [join(folder, `${name}.crt`), join(folder, `${name}.key`)];
  if (existsSync(crt) && existsSync(key)) {
    const found = { certificate: readFileSync(crt, 'utf8'), key: readFileSync(key, 'utf8') };
    if (serves(found.certificate, subjects)) return found;
  }
  const made = await fresh();
  writeFileSync(key, made.key, { mode: 0o600 });
  writeFileSync(crt, made.certificate, { mode: 0o644 });
  return made;
}

function serves(pem: string, subjects: readonly string[]): boolean {
  const certificate = new X509Certificate(pem);
  const left = certificate.validToDate.getTime() - Date.now();
  const names = (subject: string) => certificate.checkHost(subject) ?? certificate.checkIP(subject);
  return left > RENEW_DAYS * DAY_MS && subjects.every(names);
}

type Extensions = NonNullable<NonNullable<Parameters<typeof generate>[1]>['extensions']>;

async function make(name: string, days: number, extensions: Extensions, by?: Certificate): Promise<Certificate> {
  const now = Date.now();
  const pems = await generate([{ name: 'commonName', value: name }], {
    keyType: 'ec',
    algorithm: 'sha256',
    // A host whose clock is a little behind must not refuse it.
    notBeforeDate: new Date(now - DAY_MS),
    notAfterDate: new Date(now + days * DAY_MS),
    extensions,
    ...(by === undefined ? {} : { ca: { key: by.key, cert: by.certificate } }),
  });
  return { certificate: pems.cert, key: pems.private };
}
