import { createPrivateKey, X509Certificate } from 'node:crypto';

/** What keeps a private key and a certificate, both in PEM, from being used together; undefined when nothing does. */
export function keyPairProblem(cert: string, key: string): string | undefined {
  const certificate = attempt(() => new X509Certificate(cert));
  const privateKey = attempt(() => createPrivateKey(key));
  if (!privateKey) return 'is not a private key in PEM that can be read';
  if (!certificate) return undefined; // said of the certificate's own field
  return certificate.checkPrivateKey(privateKey) ? undefined : 'does not fit the certificate in cert';
}

function attempt<T>(make: () => T): T | undefined {
  try {
    return make();
  } catch {
    return undefined;
  }
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

/** Whether a text holds certificates in PEM, all of which can be read. OpenSSL ignores the ones that it cannot read. */
export function isCertificates(pem: string): boolean {
  const blocks = pem.match(CERTIFICATE);
  if (!blocks || blocks.length !== pem.split('-----BEGIN ').length - 1) return false;
  return blocks.every((block) => attempt(() => new X509Certificate(block)) !== undefined);
}
