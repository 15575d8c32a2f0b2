import { pointer, type FieldProblem } from '@tocsin/contracts';
import { TocsinError } from '@tocsin/core';
import { duplicateMember } from './duplicate-members.ts';
import { EdgeRefusal } from './problem.ts';

const DEEPEST = 32;
const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * The value of a JSON text.
 * @throws TocsinError `invalid` when it is not UTF-8 or not JSON; EdgeRefusal `invalid` for a member that is there twice
 */
export function parseJson(bytes: Buffer): unknown {
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch (cause) {
    throw new TocsinError('invalid', 'The body is not valid UTF-8.', { cause });
  }
  let value: unknown;
  try {
    value = JSON.parse(text) as unknown;
  } catch (cause) {
    throw new TocsinError('invalid', `The body is not valid JSON: ${(cause as Error).message.slice(0, 200)}`, {
      cause,
    });
  }
  const twice = duplicateMember(text);
  if (twice) throw EdgeRefusal.fields([{ path: pointer(twice), message: 'must be there only once' }]);
  return value;
}

/**
 * The one text that stands for a value, whatever the order of its members: what a request is recognised by.
 * @throws EdgeRefusal `invalid` for what nothing behind the edge can hold: deeper nesting than any body has, U+0000,
 *   half a surrogate pair, a member named `__proto__`
 */
export function canonical(value: unknown, place?: FieldProblem['in']): string {
  const write = (part: unknown, path: readonly string[]): string => {
    const refuse = (message: string): never => {
      throw EdgeRefusal.fields([{ ...(place ? { in: place } : {}), path: pointer(path), message }]);
    };
    if (typeof part === 'string') {
      if (part.includes('\u0000')) refuse('must not contain U+0000');
      if (!part.isWellFormed()) refuse('must be well-formed Unicode');
    }
    if (typeof part !== 'object' || part === null) return JSON.stringify(part) ?? 'null';
    if (path.length >= DEEPEST) refuse(`must not be nested deeper than ${DEEPEST} levels`);
    if (Array.isArray(part)) return `[${part.map((item, i) => write(item, [...path, String(i)])).join(',')}]`;
    const members = Object.entries(part).toSorted(([a], [b]) => (a < b ? -1 : 1));
    return `{${members.map(([name, item]) => member(name, item, path, refuse)).join(',')}}`;
  };
  const member = (name: string, item: unknown, ...at: [readonly string[], (message: string) => never]): string => {
    const [path, refuse] = at;
    if (name === '__proto__') refuse('must not have a member named __proto__');
    return `${write(name, path)}:${write(item, [...path, name])}`;
  };
  return write(value, []);
}
