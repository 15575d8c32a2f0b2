import { newId, type SecretKeys } from '@tocsin/core';
import fc from 'fast-check';
import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { isOperationOf, operationId } from './operation-id.ts';

const key: SecretKeys = [randomBytes(32)];
const token = newId();

describe('the identifier of an operation', () => {
  it('is a UUID', () => {
    fc.assert(
      fc.property(fc.option(fc.string(), { nil: undefined }), (name) => {
        expect(z.uuid().safeParse(operationId(key, token, name)).success).toBe(true);
      }),
    );
  });

  it('is the same for the same token and name, and another for another', () => {
    expect(operationId(key, token, 'monitors:a')).toBe(operationId(key, token, 'monitors:a'));
    const others = [operationId(key, token, 'monitors:b'), operationId(key, newId(), 'monitors:a')];
    expect(others).not.toContain(operationId(key, token, 'monitors:a'));
  });

  it('is new each time without a name', () => {
    expect(new Set(Array.from({ length: 1_000 }, () => operationId(key, token))).size).toBe(1_000);
  });

  it('belongs to the token that asked, and to no other', () => {
    for (const id of [operationId(key, token), operationId(key, token, 'monitors:a')]) {
      expect(isOperationOf(key, token, id)).toBe(true);
      expect(isOperationOf(key, newId(), id)).toBe(false);
      expect(isOperationOf([randomBytes(32)], token, id)).toBe(false);
      expect(isOperationOf([randomBytes(32), ...key], token, id)).toBe(true);
    }
  });

  it("can not be made up: an identifier of any other kind, or a changed one, is nobody's", () => {
    expect(isOperationOf(key, token, newId())).toBe(false);
    const id = operationId(key, token);
    expect(isOperationOf(key, token, (id.startsWith('0') ? '1' : '0') + id.slice(1))).toBe(false);
    expect(isOperationOf(key, token, '')).toBe(false);
  });
});
