import { HIDDEN, httpSettings, mapSecrets, pointer, secret, secretFields } from '@tocsin/contracts';
import { type FieldError, isSealed, sealSecret, type SecretKeys } from '@tocsin/core';
import { EdgeRefusal } from './edge/problem.ts';

/**
 * A specification, or a patch of one, with its secrets sealed. HIDDEN stays, to keep what is there.
 * @param o.keeps whether there is something to keep: false for what is created
 * @throws EdgeRefusal `invalid` with the path of a secret that is not valid
 */
export function sealSecrets<T>(spec: T, keys: SecretKeys, o: { keeps: boolean }): T {
  const bad: FieldError[] = [];
  const sealed = mapSecrets(spec, (value, path) => {
    const steps = path.startsWith('headers.') ? ['headers', path.slice('headers.'.length)] : path.split('.');
    const refuse = (message: string) => bad.push({ path: pointer(['settings', ...steps]), message });
    if (value === HIDDEN) {
      if (!o.keeps) refuse(`${HIDDEN} keeps a secret that is there, and there is none yet`);
      return value;
    }
    if (isSealed(value)) refuse('must not begin with "sealed:": send the secret itself');
    const problem = problemOf(steps, value);
    if (problem) refuse(problem);
    return sealSecret(keys, value);
  });
  if (bad.length > 0) throw EdgeRefusal.fields(bad);
  return sealed;
}

/** The same with every secret hidden, sealed or not. */
export function hideSecrets<T>(spec: T): T {
  return mapSecrets(spec, () => HIDDEN);
}

/** Behind the edge only the sealed text can be checked, so a patch's secrets are checked here. */
function problemOf(steps: readonly string[], value: string): string | undefined {
  const parsed =
    steps[0] === 'headers'
      ? httpSettings.shape.headers.safeParse({ [steps[1]!]: value })
      : (secretFields[steps.join('.')] ?? secret()).safeParse(value);
  return parsed.success ? undefined : parsed.error.issues[0]?.message;
}
