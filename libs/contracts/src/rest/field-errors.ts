import type { FieldError } from '@tocsin/core';
import type { z } from 'zod';

type Issue = z.core.$ZodIssue;
const MOST = 50;

/**
 * Every field that a schema refused, by its JSON Pointer (RFC 6901) and in words for a person. Of a union's branches the
 * one that came closest is told, and an unknown field is named itself and not its parent. At most 50.
 */
export function fieldErrors(error: { issues: readonly unknown[] }): FieldError[] {
  return (error.issues as Issue[]).flatMap((issue) => told(issue, [])).slice(0, MOST);
}

/** A JSON Pointer (RFC 6901) from its steps. */
export function pointer(steps: readonly PropertyKey[]): string {
  return steps.map((step) => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

function told(issue: Issue, under: readonly PropertyKey[]): FieldError[] {
  const path = [...under, ...issue.path];
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ path: pointer([...path, key]), message: 'unknown field' }));
  }
  if (issue.code === 'invalid_union') {
    const branch = closest(issue.errors);
    return branch ? branch.flatMap((inner) => told(inner, path)) : [{ path: pointer(path), message: choice(issue) }];
  }
  const nested = issue.code === 'invalid_key' || issue.code === 'invalid_element' ? issue.issues[0] : undefined;
  return [{ path: pointer(path), message: plain((nested ?? issue).message) }];
}

/** The branch that got furthest: an unknown field or a missing one says that another branch was meant. */
function closest(branches: readonly (readonly Issue[])[]): readonly Issue[] | undefined {
  return branches.toSorted((a, b) => distance(a) - distance(b))[0];
}

function distance(issues: readonly Issue[]): number {
  const depth = Math.max(0, ...issues.map((issue) => issue.path.length));
  const foreign = issues.filter((i) => i.code === 'unrecognized_keys' || i.message.endsWith('received undefined'));
  return issues.length + foreign.length * 2 - depth / 10;
}

function choice(issue: Issue): string {
  const options = (issue as { options?: readonly unknown[] }).options;
  return options ? `must be one of ${options.map((option) => String(option)).join(', ')}` : plain(issue.message);
}

function plain(message: string): string {
  if (message.endsWith('received undefined')) return 'required';
  return message.replace(/^Invalid input: /, '').replace(/^Invalid (option|input)$/, 'not valid');
}
