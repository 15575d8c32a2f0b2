import { monitorSpec } from '@tocsin/contracts';
import { TocsinError } from '@tocsin/core';
import { describe, expect, it } from 'vitest';
import { parseOrRefuse } from './fields.ts';

const HTTP = { kind: 'http', name: 'site', settings: { url: 'http://127.0.0.1/' } };

function pathsOf(spec: unknown): string[] {
  try {
    parseOrRefuse(monitorSpec, spec, 'x');
  } catch (error) {
    return (error as TocsinError).fields?.map((field) => field.path) ?? [];
  }
  return [];
}

describe('field errors', () => {
  it.each([
    ['a wrong value by its pointer', { ...HTTP, interval: '1ms' }, ['/interval']],
    ['an unknown field by its own pointer', { ...HTTP, nonsense: 1 }, ['/nonsense']],
    ['an item of a list by its index', { ...HTTP, tags: ['ok', 'NOT OK'] }, ['/tags/1']],
    ['slashes and tildes in names escaped (RFC 6901)', { ...HTTP, 'a/b~c': 1 }, ['/a~1b~0c']],
    ['a nested unknown field', { ...HTTP, settings: { ...HTTP.settings, x: 1 } }, ['/settings/x']],
    ['an unknown kind', { ...HTTP, kind: 'gopher' }, ['/kind']],
    [
      'the alternative that was meant',
      { kind: 'heartbeat', name: 'h', settings: { schedule: { every: '1x' } } },
      ['/settings/schedule/every'],
    ],
    ['every wrong field', { ...HTTP, name: '', timeout: 5 }, ['/name', '/timeout']],
  ])('name %s', (_, spec, paths) => {
    expect(pathsOf(spec)).toEqual(paths);
  });
});
