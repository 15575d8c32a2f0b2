import { describe, expect, it } from 'vitest';
import { mirrorOf, parseSources } from './apt-sources.ts';

const stanzas = `Types: deb
# a comment
URIs: http://archive.example/debian
Suites: bookworm bookworm-updates
Components: main

Types: deb
URIs: http://archive.example/debian-security
Suites: bookworm-security
Components: main

Enabled: no
Types: deb
URIs: http://off.example/debian
Suites: bookworm
`;

describe('the configured Debian mirror', () => {
  it('is found among stanzas; the security archive and what is turned off are not it', () => {
    expect(mirrorOf(parseSources(stanzas), 'bookworm')).toBe('http://archive.example/debian');
  });

  it('is found in the one-line format, with and without options', () => {
    const lines = `# deb http://old.example/debian bookworm main
deb https://packages.example/tools tools main
deb [arch=amd64 signed-by=/a.gpg] https://archive.example/debian bookworm main contrib
deb http://archive.example/debian bookworm-updates main`;
    expect(mirrorOf(parseSources(lines), 'bookworm')).toBe('https://archive.example/debian');
  });

  it('is unknown when no source serves the release', () => {
    expect(mirrorOf(parseSources(stanzas), 'trixie')).toBeUndefined();
  });
});
