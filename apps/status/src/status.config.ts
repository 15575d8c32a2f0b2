import { environment, milliseconds, variable } from '@tocsin/service';
import type { z } from 'zod';

/** What `status` reads from the environment, beside the platform's part. */
export const statusConfig = environment({
  /** While the database is unreachable, how old an answer may be that status still gives. */
  staleMs: variable('TOCSIN_STALE_MS', milliseconds(0, 86_400_000).default(3_600_000)),
});
export type StatusConfig = z.infer<typeof statusConfig>;
