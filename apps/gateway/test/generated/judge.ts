import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import type { Description } from './description.ts';
import type { Generated } from './generator.ts';

export interface Answered {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
}

/** Statuses that come from below any operation: of the connection, of the address as a whole, of an unknown path. */
const OF_ANY = new Set([400, 401, 403, 404, 405, 413, 415, 417, 429, 431]);
const PROBLEM = 'application/problem+json';

/** Says what is wrong with an answer, by the API's own description. */
export class Judge {
  private readonly ajv = new Ajv2020({ strict: false, logger: false });
  private readonly compiled = new Map<object, ValidateFunction>();

  constructor(private readonly description: Description) {
    addFormats.default(this.ajv);
    this.ajv.addSchema(this.description.document, 'api');
  }

  /** Undefined for an answer that is as it is described. */
  wrong(request: Generated, answer: Answered): string | undefined {
    const { status, headers } = answer;
    if (status >= 500) return 'is a failure';
    if (!/^[0-9a-f]{32}$/.test(String(headers['tocsin-trace-id']))) return 'has no trace';
    const type = String(headers['content-type'] ?? '').split(';', 1)[0]!;
    if (status >= 400) return this.wrongProblem(request, answer, type);
    const { operation } = request;
    if (!operation) return undefined;
    const response = operation.responses[status];
    if (!response) return `has a status that is not described: ${Object.keys(operation.responses).join(', ')}`;
    const media = Object.entries(response.content ?? {}).find(([name]) => name.split(';', 1)[0] === type)?.[1];
    if (!media) return response.content && request.method !== 'HEAD' ? `has the type ${type}` : undefined;
    return type === 'application/json' ? this.mismatch(media.schema, answer.text) : undefined;
  }

  private wrongProblem({ method, operation }: Generated, { status, text }: Answered, type: string): string | undefined {
    if (operation ? !(status in operation.responses) : !OF_ANY.has(status)) return 'has a status that is not described';
    if (method === 'HEAD') return undefined;
    if (type !== PROBLEM) return `is no problem but ${type}`;
    const wrong = this.mismatch({ $ref: '#/components/schemas/Problem' }, text);
    return wrong ?? ((JSON.parse(text) as { status: number }).status === status ? undefined : 'says another status');
  }

  private mismatch(schema: object, text: string): string | undefined {
    let validate = this.compiled.get(schema);
    if (!validate) {
      const absolute = JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"api#/')) as object;
      this.compiled.set(schema, (validate = this.ajv.compile(absolute)));
    }
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      return 'is no JSON';
    }
    return validate(value) ? undefined : `is off its schema: ${this.ajv.errorsText(validate.errors)}`;
  }
}
