import type { Assertion } from '@tocsin/contracts';
import { quote } from '../message-text.ts';
import { BadAssertion, type Evidence } from './assertion.ts';
import { compilePath } from './json-path.ts';
import { compilePattern } from './pattern.ts';
import { soundsSecret } from './request.ts';

type JsonAssertion = Extract<Assertion, { type: 'json' }>;

/** A test of one node; `every` when all nodes must pass it and not only one. */
interface NodeTest {
  every: boolean;
  passes: (node: unknown) => boolean;
}

const WORDS = {
  equals: '',
  not_equals: 'something other than ',
  contains: 'it to contain ',
  matches: 'it to match ',
  less: 'less than ',
  greater: 'more than ',
} as const;

/**
 * An assertion on what a JSONPath selects. `equals`, `contains` and `matches` hold when one selected node does;
 * `not_equals`, `less` and `greater` when all do. A path that selects nothing satisfies `absent` alone.
 * @throws BadAssertion naming the field that is wrong
 */
export function compileJson(assertion: JsonAssertion): (evidence: Evidence) => string | undefined {
  const { path, op } = assertion;
  const select = compilePath(path);
  if (op === 'exists') return (e) => (select(e.json()).length > 0 ? undefined : `json ${path} is absent`);
  if (op === 'absent') return (e) => (select(e.json()).length === 0 ? undefined : `json ${path} is present`);

  const test = nodeTest(op, assertion.value);
  const expected = `expected ${WORDS[op]}${show(assertion.value)}`;
  const hidden = soundsSecret(path);
  return (e) => {
    const nodes = select(e.json());
    if (nodes.length === 0) return `json ${path} is absent, ${expected}`;
    const good = test.every ? nodes.every(test.passes) : nodes.some(test.passes);
    if (good) return undefined;
    const wrong = test.every ? nodes.find((node) => !test.passes(node)) : nodes[0];
    return `json ${path} is ${hidden ? 'something else' : show(wrong)}, ${expected}`;
  };
}

function nodeTest(op: keyof typeof WORDS, value: JsonAssertion['value']): NodeTest {
  if (value === undefined) throw new BadAssertion('value', `is needed for ${op}`);
  switch (op) {
    case 'equals':
      return { every: false, passes: (node) => node === value };
    case 'not_equals':
      return { every: true, passes: (node) => node !== value };
    case 'contains':
      return { every: false, passes: (node) => contains(node, value) };
    case 'matches':
      return matching(value);
    case 'less':
    case 'greater': {
      if (typeof value !== 'number') throw new BadAssertion('value', `must be a number for ${op}`);
      const passes = (node: unknown): boolean =>
        typeof node === 'number' && (op === 'less' ? node < value : node > value);
      return { every: true, passes };
    }
  }
}

function matching(value: unknown): NodeTest {
  if (typeof value !== 'string') throw new BadAssertion('value', 'must be an RE2 expression for matches');
  const test = compilePattern(value);
  return {
    every: false,
    passes: (node) => (typeof node === 'string' ? test(node) : isScalar(node) && test(String(node))),
  };
}

function isScalar(node: unknown): node is number | boolean {
  return typeof node === 'number' || typeof node === 'boolean';
}

function contains(node: unknown, value: unknown): boolean {
  if (typeof node === 'string') return node.includes(String(value));
  return Array.isArray(node) && node.includes(value);
}

function show(node: unknown): string {
  if (typeof node === 'string') return quote(node);
  if (Array.isArray(node)) return `an array of ${node.length}`;
  return typeof node === 'object' && node !== null ? 'an object' : String(node);
}
