import { z } from 'zod';
import { render, type Rendered } from './components.ts';
import type { JsonSchema } from './json-schema.ts';
import { type ProblemCode, problems } from './problem.ts';
import type { Route } from './route.ts';
import { routes } from './routes.ts';

type Json = Record<string, unknown>;
const all = Object.entries(routes as unknown as Record<string, Route>);

const PROBLEM = { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } };

/**
 * The API as an OpenAPI 3.1 document, from the route table alone: docs/openapi.json is this, and a test compares them.
 * @param version of the API, as the package says it
 */
export function openapi(version: string): Json {
  const inputs = render(Object.fromEntries(all.flatMap(([name, route]) => inputsOf(name, route))), 'input');
  const outputs = render(
    Object.fromEntries(all.map(([name, route]) => [name, route.answer] as const).filter(hasContent)),
    'output',
  );
  const paths: Record<string, Json> = {};
  for (const [name, route] of all) {
    (paths[route.path] ??= {})[route.method.toLowerCase()] = operation(name, route, { inputs, outputs });
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Tocsin',
      version,
      description: DESCRIPTION,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    security: [{ token: [] }],
    tags: [...new Set(all.map(([, route]) => route.tag))].map((name) => ({ name })),
    paths,
    components: {
      securitySchemes: { token: { type: 'http', scheme: 'bearer', description: 'An API token, `tsn_…`' } },
      schemas: used(sorted({ ...outputs.components, ...inputs.components }), paths),
    },
  };
}

const DESCRIPTION = [
  'Tocsin watches endpoints and rings the alarm.',
  '',
  'Times are RFC 3339 in UTC with milliseconds. A time that you send may have any offset, or be milliseconds since the epoch.',
  'Lists are pages: `next` is the `cursor` of the page after it.',
  'Answers with an ETag heed If-Match and If-None-Match. Any change may carry an Idempotency-Key (1 to 255 visible characters): the same',
  'request with the same key is carried out once and answered alike. A change that no instance answered in time is `202 Accepted`: it is',
  'carried out, and the operation at Location says what came of it. `Prefer: wait=N` sets for how many seconds the answer is waited for.',
  'Errors are RFC 9457 problems.',
].join('\n');

function operation(name: string, route: Route, from: { inputs: Rendered; outputs: Rendered }): Json {
  const schema = from.inputs.of;
  return {
    operationId: name,
    tags: [route.tag],
    summary: route.summary,
    description: [route.description, access(route)].filter(Boolean).join('\n\n'),
    // OpenAPI 3.1 names the roles that an operation needs here.
    security: route.role === 'anyone' ? [] : [{ token: [route.role] }],
    parameters: [
      ...parameters(schema[`${name}.params`], 'path'),
      ...parameters(schema[`${name}.query`], 'query'),
      ...headers(route),
    ],
    ...(hasContent([name, route.body]) ? { requestBody: requestBody(route, schema[`${name}.body`]!) } : {}),
    responses: { ...success(route, from.outputs.of[name]), ...refusals(route) },
  };
}

function access(route: Route): string {
  if (route.role === 'anyone') return 'Needs no token.';
  return `Needs a token with the role ${route.role}${route.role === 'admin' ? '' : ' or more'}.`;
}

function parameters(schema: JsonSchema | undefined, place: 'path' | 'query'): Json[] {
  const required = new Set((schema?.['required'] as string[] | undefined) ?? []);
  return Object.entries((schema?.['properties'] as Record<string, Json> | undefined) ?? {}).map(([name, property]) => {
    const { description, ...rest } = property;
    return {
      name,
      in: place,
      ...(place === 'path' || required.has(name) ? { required: true } : {}),
      ...(description === undefined ? {} : { description }),
      schema: rest,
    };
  });
}

function headers(route: Route): Json[] {
  const header = (name: string, description: string) => ({
    name,
    in: 'header',
    description,
    schema: { type: 'string' },
  });
  return [
    ...(route.conditional === 'if-match'
      ? [header('If-Match', 'The ETag that was read, or several of which one will do: 412 where it has changed')]
      : []),
    ...(route.conditional === 'if-none-match'
      ? [header('If-None-Match', 'The ETag at hand: 304 where it still holds')]
      : []),
    ...(route.method === 'GET' ? [] : [header('Idempotency-Key', 'Makes the request safe to send again')]),
    ...(route.work === 'command' ? [header('Prefer', '`wait=N`: seconds to wait for the answer, 1 to 30')] : []),
    ...(route.work === 'stream' ? [header('Last-Event-ID', 'Resume after this event')] : []),
  ];
}

function requestBody(route: Route, schema: JsonSchema): Json {
  const shown = route.examples ? { examples: examplesOf(route.examples) } : {};
  const content = Object.fromEntries(route.bodyTypes.map((type) => [type, { schema, ...shown }]));
  return { required: !route.body.safeParse(undefined).success && route.role !== 'anyone', content };
}

function examplesOf(examples: NonNullable<Route['examples']>): Json {
  return Object.fromEntries(
    Object.entries(examples).map(([summary, value], n) => [`example${n + 1}`, { summary, value }]),
  );
}

function success(route: Route, schema: JsonSchema | undefined): Json {
  const type = route.answerType ?? 'application/json';
  const shown = route.work === 'stream' ? { type: 'string' } : schema;
  const header = (description: string) => ({ description, schema: { type: 'string' } });
  const extra = {
    ...(route.etag ? { ETag: header('Names what was answered, for If-Match or If-None-Match') } : {}),
    ...(route.status === 201 ? { Location: header('Where it is') } : {}),
  };
  const answer = {
    description: route.status === 204 ? 'Done' : route.status === 201 ? 'Created' : 'The answer',
    ...(Object.keys(extra).length > 0 ? { headers: extra } : {}),
    ...(schema ? { content: { [type]: { schema: shown } } } : {}),
  };
  return {
    [route.status]: answer,
    ...(route.work === 'command' ? { 202: ACCEPTED } : {}),
    ...(route.conditional === 'if-none-match' ? { 304: { description: 'Unchanged' } } : {}),
  };
}

const ACCEPTED = {
  description: 'Accepted: it will be carried out',
  headers: { Location: { description: 'The operation', schema: { type: 'string' } } },
  content: { 'application/json': { schema: { $ref: '#/components/schemas/Accepted' } } },
};

function refusals(route: Route): Json {
  const changes = route.method !== 'GET';
  const takesAnything = route.bodyTypes.includes('*/*');
  const codes: (ProblemCode | false)[] = [
    'invalid',
    route.role !== 'anyone' && 'unauthenticated',
    route.role !== 'anyone' && 'forbidden',
    route.path.includes('{') && 'not_found',
    route.work === 'command' && 'conflict',
    route.conditional === 'if-match' && 'stale',
    changes && !takesAnything && 'too_large',
    changes && !takesAnything && 'unsupported_type',
    'expectation_failed',
    changes && route.role !== 'anyone' && 'key_reused',
    'exhausted',
    'unavailable',
    'deadline',
  ];
  const listed = codes
    .filter((code) => code !== false)
    .map((code): [number, Json] => [problems[code].status, { description: problems[code].title, content: PROBLEM }]);
  return Object.fromEntries([...listed, [431, { description: 'The headers are too large', content: PROBLEM }]]);
}

function inputsOf(name: string, route: Route): [string, z.ZodType][] {
  const parts: [string, z.ZodType][] = [
    [`${name}.params`, route.params],
    [`${name}.query`, route.query],
    [`${name}.body`, route.body],
  ];
  // One registry holds a schema once, and routes share theirs: each gets a wrapper of its own.
  return parts.filter(hasContent).map(([key, schema]) => [key, key.endsWith('.body') ? schema : schema.clone()]);
}

function hasContent([, schema]: readonly [string, z.ZodType]): boolean {
  return !(schema instanceof z.ZodUndefined);
}

/** Only the components that something refers to, followed through. */
function used(components: Record<string, JsonSchema>, paths: Json): Record<string, JsonSchema> {
  const found = new Set<string>();
  const visit = (part: unknown): void => {
    for (const [, name] of JSON.stringify(part).matchAll(/#\/components\/schemas\/(\w+)/g)) {
      if (found.has(name!)) continue;
      found.add(name!);
      visit(components[name!]);
    }
  };
  visit(paths);
  return Object.fromEntries(Object.entries(components).filter(([name]) => found.has(name)));
}

function sorted<T>(record: Record<string, T>): Record<string, T> {
  return Object.fromEntries(Object.entries(record).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
