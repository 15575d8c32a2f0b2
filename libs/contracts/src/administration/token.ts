import { z } from 'zod';
import { epochMs, id, line, time } from '../schema/fields.ts';
import { tolerant } from '../schema/tolerant.ts';

export const role = z.enum(['admin', 'editor', 'viewer']);
export type Role = z.infer<typeof role>;

export const tokenSpec = z.strictObject({
  name: line(120),
  role,
  /** When it stops working; never, where absent. */
  expiresAt: time.optional(),
});
export type TokenSpec = z.infer<typeof tokenSpec>;

/** An API token without its secret. */
export const token = z.object({ id, createdAt: epochMs, spec: tolerant(tokenSpec) });
export type Token = z.infer<typeof token>;

/** Said when a token is revoked: whoever remembers it forgets it at once. */
export const tokenRevoked = z.object({ tokenId: id, at: epochMs });
export type TokenRevoked = z.infer<typeof tokenRevoked>;

/** The answer to creating a token: the only time the secret is shown. */
export const createdToken = z.object({ ...token.shape, secret: z.string() });
export type CreatedToken = z.infer<typeof createdToken>;
