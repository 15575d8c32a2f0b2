import type { TcpSettings } from '@tocsin/contracts';
import type { FieldError } from '@tocsin/core';
import { familyFaults } from '../connect/names.ts';

/** What is wrong with the settings of a TCP check that its schema takes. */
export function* tcpFaults(settings: TcpSettings): Generator<FieldError> {
  yield* familyFaults(settings.host, settings.ipFamily, '/host');
  for (const text of ['send', 'expect'] as const) {
    if (settings[text] === undefined || settings[`${text}Hex`] === undefined) continue;
    yield { path: `/${text}Hex`, message: `give either this or ${text}, not both` };
  }
}
