import type { Route } from '@tocsin/contracts';

export interface Schema {
  enum?: readonly unknown[];
  anyOf?: readonly Schema[];
  items?: Schema;
}

export interface Parameter {
  name: string;
  in: string;
  schema: Schema;
}

/** One operation of the description, as far as requests are made from it. */
export interface Operation {
  name: string;
  method: string;
  path: string;
  tag: string;
  role: Route['role'];
  parameters: readonly Parameter[];
  bodyTypes: readonly string[];
  /** Examples that the description gives. */
  bodies: readonly unknown[];
  /** By status: the schema of the answer by its type. */
  responses: Record<string, { content?: Record<string, { schema: object }> }>;
}

export interface Description {
  document: object;
  operations: readonly Operation[];
}

interface Described {
  operationId: string;
  tags: [string];
  security: unknown[];
  parameters: Parameter[];
  requestBody?: { content: Record<string, { examples?: Record<string, { value: unknown }> }> };
  responses: Operation['responses'];
}

/** Reads the OpenAPI document; nothing but loopback is named in the bodies that it gives. */
export function descriptionOf(document: object): Description {
  const { paths } = document as { paths: Record<string, Record<string, Described>> };
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, one]): Operation => {
      const content = Object.entries(one.requestBody?.content ?? {});
      const bodies = content.flatMap(([, { examples }]) => Object.values(examples ?? {}).map(({ value }) => value));
      return {
        name: one.operationId,
        method: method.toUpperCase(),
        path,
        tag: one.tags[0],
        role: one.security.length === 0 ? 'anyone' : 'admin',
        parameters: one.parameters,
        bodyTypes: content.map(([type]) => type),
        bodies: local(bodies),
        responses: one.responses,
      };
    }),
  );
  return { document, operations };
}

function local<T>(bodies: T): T {
  const text = JSON.stringify(bodies)
    .replaceAll(/https:\/\/[\w.-]*example\.\w+/g, 'http://127.0.0.1:9')
    .replaceAll(/"(?:[\w-]+\.)*example\.(?:com|org|net)"/g, '"127.0.0.1"');
  return JSON.parse(text) as T;
}
