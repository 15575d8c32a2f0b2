import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** One configured package source. */
export interface AptSource {
  uri: string;
  suites: string[];
}

const PUBLIC_MIRROR = 'http://deb.debian.org/debian';

/** Reads both formats: one-line (`deb [options] uri suite component…`) and deb822 (`URIs:` / `Suites:` stanzas). */
export function parseSources(text: string): AptSource[] {
  const sources: AptSource[] = [];
  for (const line of text.split('\n')) {
    const match = /^\s*deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)/.exec(line);
    if (match?.[1] && match[2]) sources.push({ uri: match[1], suites: [match[2]] });
  }
  const stanzas = text
    .split('\n')
    .filter((line) => !line.startsWith('#'))
    .join('\n')
    .split(/\n\s*\n/);
  for (const stanza of stanzas) {
    const field = (name: string) => new RegExp(`^${name}:\\s*(.+)$`, 'mi').exec(stanza)?.[1]?.trim().split(/\s+/) ?? [];
    if (field('Enabled')[0] === 'no') continue;
    for (const uri of field('URIs')) sources.push({ uri, suites: field('Suites') });
  }
  return sources;
}

/** The mirror that serves Debian's release `codename`, its security archive left aside. */
export function mirrorOf(sources: AptSource[], codename: string): string | undefined {
  return sources.find((source) => source.suites.includes(codename) && /^(https?|mirror\+\w+|file):/.test(source.uri))
    ?.uri;
}

/** The Debian mirror this machine is set up with; Debian's public address where it is not Debian. */
export function debianMirror(): string {
  if (!isDebian()) return PUBLIC_MIRROR;
  return mirrorOf(configuredSources(), osRelease('VERSION_CODENAME') ?? 'stable') ?? PUBLIC_MIRROR;
}

/** Is this Debian itself (and not a system derived from it, whose mirrors hold other suites)? */
export function isDebian(): boolean {
  return osRelease('ID') === 'debian';
}

function osRelease(key: string): string | undefined {
  if (!existsSync('/etc/os-release')) return undefined;
  return new RegExp(`^${key}="?([^"\\n]+)`, 'm').exec(readFileSync('/etc/os-release', 'utf8'))?.[1];
}

function configuredSources(): AptSource[] {
  const parts = '/etc/apt/sources.list.d';
  const files = ['/etc/apt/sources.list'];
  if (existsSync(parts)) files.push(...readdirSync(parts).map((name) => join(parts, name)));
  return files
    .filter((file) => /(\.list|\.sources)$/.test(file) && existsSync(file))
    .flatMap((file) => parseSources(readFileSync(file, 'utf8')));
}
