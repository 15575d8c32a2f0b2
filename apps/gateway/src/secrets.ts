import {
  HIDDEN,
  isOfUnknownKind,
  isShownAddress,
  keptAddress,
  keptOrigin,
  mapMarked,
  mapSecrets,
  type Met,
  pointer,
  shownAddress,
} from '@tocsin/contracts';
import { type FieldError, isSealed, isSealedAddress, type Sealing } from '@tocsin/core';
import { type Caller, EdgeRefusal } from '@tocsin/edge';
import { withoutQuery } from './query.ts';

/**
 * A specification, or a patch of one, with its secrets sealed. What stands for a secret stays, to keep what is there.
 * @param o.keeps whether there is something to keep: false for what is created
 * @throws EdgeRefusal `invalid` with the path of a secret that is not valid
 */
export function sealSecrets<T>(spec: T, sealing: Sealing, o: { keeps: boolean }): T {
  const bad: FieldError[] = [];
  const sealed = mapSecrets(spec, (met) => {
    const { value, path, mark } = met;
    const refuse = (message: string) => bad.push({ path: pointer(['settings', ...path]), message });
    const shown = mark === 'address' ? keptOrigin(value) !== undefined : value === HIDDEN;
    if (shown) {
      if (!o.keeps) refuse(`${value} keeps a secret that is there, and there is none yet`);
      return isShownAddress(value) ? keptAddress(value) : value;
    }
    if (isSealed(value) || isSealedAddress(value)) refuse('must not be sealed: send the secret itself');
    const problem = problemOf(met);
    if (problem) refuse(problem);
    return mark === 'address' ? sealing.sealAddress(value) : sealing.seal(value);
  });
  if (bad.length > 0) throw EdgeRefusal.fields(bad);
  return sealed;
}

/**
 * The same as a caller may see it: every secret hidden, sealed or not, and addresses without what follows their origin. A
 * viewer does not see what else a monitor sends: the values of its query, its body, its text; and no setting of a kind that
 * only a later version knows.
 */
export function shownTo<T>(caller: Pick<Caller, 'role'> | undefined, spec: T): T {
  const viewer = caller === undefined || caller.role === 'viewer';
  if (viewer && isOfUnknownKind(spec)) return { ...spec, settings: {} };
  return mapMarked(
    spec,
    ({ value, mark }) => {
      if (mark === 'address') return shownAddress(value);
      if (mark === 'query') return viewer ? withoutQuery(value) : value;
      return mark === 'text' && !viewer ? value : HIDDEN;
    },
    { headers: 'said' },
  );
}

/** The same for whatever holds specifications somewhere in it: what came of an operation, a message. */
export function shownWithin(caller: Pick<Caller, 'role'> | undefined, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((one) => shownWithin(caller, one));
  if (typeof value !== 'object' || value === null) return value;
  if ('settings' in value) return shownTo(caller, value);
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, shownWithin(caller, one)]));
}

/** Behind the edge only the sealed text can be checked, so a patch's secrets are checked here. */
function problemOf({ schema, value }: Met): string | undefined {
  const parsed = schema.safeParse(value);
  return parsed.success ? undefined : parsed.error.issues[0]?.message;
}
