import { exec } from 'jsonpath-rfc9535';
import parse from 'jsonpath-rfc9535/parser';
import { LIMIT_MS, timeLimited, timeLimiter, TooSlow } from '../time-limited.ts';
import { BadAssertion, Undecided } from './assertion.ts';

type Json = Parameters<typeof exec>[0];
type Step = string | number;

const MAX_NODES = 1000;
const FUNCTIONS: ReadonlySet<string> = new Set(['count', 'length', 'match', 'search', 'value']);

/**
 * A selection by JSONPath (RFC 9535), of at most 1,000 nodes.
 * @returns the selection, which throws Undecided when it takes too long
 * @throws BadAssertion when the expression is not one
 */
export function compilePath(expression: string): (document: unknown) => unknown[] {
  const steps = plainSteps(expression);
  if (steps) return (document) => walk(document, steps);
  const limited = timeLimiter();
  return (document) => {
    try {
      // Descendants and filters can be nested so that they take for ever, and match() runs a foreign expression.
      return limited(() => select(document as Json, expression));
    } catch (cause) {
      if (cause instanceof RangeError) throw new Undecided('the document is nested too deeply', { cause });
      if (!(cause instanceof TooSlow)) throw cause;
      throw new Undecided(`the path took longer than ${LIMIT_MS} ms`, { cause });
    }
  };
}

/** Whether a path is made of names and indexes alone, so that following it takes no time. */
export function isPlainPath(expression: string): boolean {
  return plainSteps(expression) !== undefined;
}

const enough = Symbol('enough');

function select(document: Json, expression: string): unknown[] {
  const nodes: unknown[] = [];
  try {
    exec(document, expression, (node) => {
      nodes.push(node);
      if (nodes.length === MAX_NODES) throw enough;
    });
  } catch (thrown) {
    if (thrown !== enough) throw thrown;
  }
  return nodes;
}

/** The names and indexes of an expression that is made of nothing else, as most are: `$.a.b[0]`. */
function plainSteps(expression: string): Step[] | undefined {
  const query = read(expression);
  const steps: Step[] = [];
  for (const segment of query.segments) {
    if (segment.type !== 'ChildSegment') return undefined;
    const { node } = segment;
    if (node.type === 'MemberNameShorthand') steps.push(node.value);
    else if (node.type === 'BracketedSelection' && node.selectors.length === 1) {
      const selector = node.selectors[0]!;
      if (selector.type !== 'NameSelector' && selector.type !== 'IndexSelector') return undefined;
      steps.push(selector.value);
    } else return undefined;
  }
  return steps;
}

function read(expression: string): ReturnType<typeof parse> {
  let query: ReturnType<typeof parse>;
  try {
    query = timeLimited(() => parse(expression));
  } catch (cause) {
    if (cause instanceof TooSlow) throw new BadAssertion('path', 'is too deeply nested');
    const detail = cause instanceof Error ? cause.message : String(cause);
    throw new BadAssertion('path', `not a valid JSONPath (RFC 9535): ${detail.slice(0, 200)}`);
  }
  const unknown = unknownFunction(query);
  if (unknown !== undefined) throw new BadAssertion('path', `has an unknown function: ${unknown}()`);
  return query;
}

function unknownFunction(node: unknown): string | undefined {
  if (typeof node !== 'object' || node === null) return undefined;
  const { type, name } = node as { type?: unknown; name?: unknown };
  if (type === 'FunctionExpr' && typeof name === 'string' && !FUNCTIONS.has(name)) return name;
  for (const child of Object.values(node)) {
    const found = unknownFunction(child);
    if (found !== undefined) return found;
  }
  return undefined;
}

function walk(document: unknown, steps: readonly Step[]): unknown[] {
  let node = document;
  for (const step of steps) {
    if (typeof node !== 'object' || node === null || Array.isArray(node) !== (typeof step === 'number')) return [];
    const key = typeof step === 'number' && step < 0 ? (node as unknown[]).length + step : step;
    if (!Object.hasOwn(node, key)) return [];
    node = (node as Record<Step, unknown>)[key];
  }
  return [node];
}
