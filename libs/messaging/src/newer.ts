/** What every configuration says of itself, whatever version wrote it. */
export interface Revised {
  id: string;
  revision: number;
  deleted?: unknown;
}

/**
 * Those of the payloads that are newer than what is known.
 * @param known the known revisions of these ids
 */
export async function newerOf(
  payloads: readonly unknown[],
  known: (ids: string[]) => Promise<ReadonlyMap<string, number>>,
): Promise<Revised[]> {
  const revised = payloads.filter(isRevised);
  const revisions = revised.length === 0 ? new Map<string, number>() : await known(revised.map(({ id }) => id));
  return revised.filter(({ id, revision }) => revision > (revisions.get(id) ?? 0));
}

/** An id that is none would make the database refuse the whole batch. */
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

function isRevised(payload: unknown): payload is Revised {
  const { id, revision } = (payload ?? {}) as Partial<Revised>;
  return typeof id === 'string' && UUID.test(id) && typeof revision === 'number';
}
