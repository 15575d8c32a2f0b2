import { BadRequestException, PayloadTooLargeException } from '@nestjs/common';
import { problems } from '@tocsin/contracts';
import { type ErrorCode, TocsinError } from '@tocsin/core';
import { describe, expect, it } from 'vitest';
import { EdgeRefusal, refusalOf } from './problem.ts';

const codes = Object.keys(problems) as (keyof typeof problems)[];

describe('problems', () => {
  it.each(codes.filter((code) => !['method_not_allowed', 'unsupported_type'].includes(code)))(
    'an error with the code %s has the status of the table',
    (code) => {
      const { problem } = refusalOf(new TocsinError(code as ErrorCode, 'said by its owner'));
      expect(problem).toMatchObject({ status: problems[code].status, title: problems[code].title, code });
      expect(problem.type).toBe(`urn:tocsin:problem:${code}`);
    },
  );

  it('what is no refusal says nothing of itself', () => {
    for (const error of [new Error('password=hunter2'), 'hunter2', undefined, new TocsinError('internal', 'hunter2')]) {
      const { problem } = refusalOf(error);
      expect(problem.status).toBe(500);
      expect(JSON.stringify(problem)).not.toContain('hunter2');
    }
  });

  it('what may succeed later says when: Retry-After', () => {
    expect(refusalOf(new TocsinError('unavailable', 'away')).headers).toEqual({ 'retry-after': '1' });
    const slow = new TocsinError('exhausted', 'slower', { details: { retryAfterMs: 2_400 } });
    expect(refusalOf(slow).headers).toEqual({ 'retry-after': '3' });
    expect(refusalOf(new TocsinError('deadline', 'late')).headers).toEqual({ 'retry-after': '1' });
    expect(refusalOf(new TocsinError('invalid', 'bad')).headers).toEqual({});
  });

  it('a missing token is asked for: WWW-Authenticate', () => {
    expect(refusalOf(new TocsinError('unauthenticated', 'who?')).headers['www-authenticate']).toMatch(/^Bearer/);
  });

  it('fields are told with their paths, and where they lead into', () => {
    const inBody = new TocsinError('invalid', 'bad', { fields: [{ path: '/name', message: 'required' }] });
    expect(refusalOf(inBody).problem.errors).toEqual([{ path: '/name', message: 'required' }]);
    const inQuery = EdgeRefusal.fields([{ in: 'query', path: '/limit', message: 'too large' }]);
    expect(refusalOf(inQuery).problem).toMatchObject({ detail: 'query /limit: too large', errors: [{ in: 'query' }] });
  });

  it("Nest's and Fastify's refusals keep their meaning", () => {
    expect(refusalOf(new PayloadTooLargeException()).problem.code).toBe('too_large');
    expect(refusalOf(new BadRequestException('no')).problem).toMatchObject({ code: 'invalid', detail: 'no' });
    expect(refusalOf(Object.assign(new Error('media'), { statusCode: 415 })).problem.code).toBe('unsupported_type');
    expect(refusalOf(Object.assign(new Error('boom'), { statusCode: 500 })).problem.code).toBe('internal');
  });
});
