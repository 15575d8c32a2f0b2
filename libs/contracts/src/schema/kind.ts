import type { z } from 'zod';

/** What every kind, of a monitor or of a channel, says of itself besides its traits. */
export interface Kind<S extends z.ZodObject = z.ZodObject> {
  /** What a person calls it. */
  title: string;
  description: string;
  settings: S;
  /** Settings that say where its secrets go. One that changes them sends the secrets again. */
  leads: readonly Name<S>[];
  /** Those of them whose absence means that the connection is not protected. */
  protects?: readonly Name<S>[];
  /** Specifications that work as they are, by what they do. */
  examples: Readonly<Record<string, { name: string; settings: z.input<S>; [field: string]: unknown }>>;
}

type Name<S extends z.ZodObject> = keyof z.infer<S> & string;
