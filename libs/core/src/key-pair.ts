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
