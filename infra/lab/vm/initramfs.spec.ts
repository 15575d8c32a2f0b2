import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { cpio, FILE, FOLDER } from './cpio.ts';
import { librariesIn, packed, parentsOf } from './initramfs.ts';
import { dependenciesIn, loadingOrder } from './modules.ts';

/** The names in an archive with what they hold, read back by its headers alone. */
function unpacked(archive: Buffer): [path: string, mode: number, content: string][] {
  const found: [string, number, string][] = [];
  for (let at = 0; at < archive.length;) {
    expect(archive.toString('latin1', at, at + 6)).toBe('070701');
    const number = (field: number): number =>
      parseInt(archive.toString('latin1', at + 6 + 8 * field, at + 14 + 8 * field), 16);
    const name = at + 110;
    const content = (name + number(11) + 3) & ~3;
    const end = content + number(6);
    found.push([
      archive.toString('latin1', name, name + number(11) - 1),
      number(1),
      archive.toString('latin1', content, end),
    ]);
    at = (end + 3) & ~3;
  }
  return found;
}

describe('the archive of the first root', () => {
  it('holds every file where its header says, and ends with the mark of its end', () => {
    const entries = ['', 'a', 'ab', 'abc', 'abcd'].map((text) => ({
      path: `usr/${text}`,
      mode: FILE | 0o644,
      content: Buffer.from(text),
    }));
    expect(unpacked(cpio(entries))).toEqual([
      ...entries.map(({ path, mode, content }) => [path, mode, content.toString()]),
      ['TRAILER!!!', 0, ''],
    ]);
  });

  it('has each folder once, before what lies in it', () => {
    const archive = packed(
      new Map([
        ['/etc/a/one', { text: '1', executable: true }],
        ['/etc/a/two', { link: 'one' }],
        ['/copied', { copy: import.meta.filename }],
      ]),
      ['/run/empty'],
    );
    const found = unpacked(archive);
    expect(found.filter(([, mode]) => mode === (FOLDER | 0o755)).map(([path]) => path)).toEqual([
      'etc',
      'etc/a',
      'run',
      'run/empty',
    ]);
    expect(found.slice(4)).toEqual([
      ['etc/a/one', FILE | 0o755, '1'],
      ['etc/a/two', 0o120_777, 'one'],
      ['copied', FILE | 0o644, readFileSync(import.meta.filename, 'latin1')],
      ['TRAILER!!!', 0, ''],
    ]);
  });

  it('knows the folders above a path, from the root down', () => {
    expect(parentsOf('/usr/lib/x/y')).toEqual(['/usr', '/usr/lib', '/usr/lib/x']);
    expect(parentsOf('/init')).toEqual([]);
  });
});

describe('libraries', () => {
  const printed = `/usr/sbin/one:
\tlinux-vdso.so.1 (0x00007ffc)
\tlibnl-3.so.200 => /layer/lib/x86_64-linux-gnu/libnl-3.so.200 (0x00007f01)
\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f02)
\t/lib64/ld-linux-x86-64.so.2 (0x00007f03)
/usr/bin/two:
\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f02)
`;

  it('go into one folder, wherever they were, and the loader to its own place', () => {
    expect(Object.fromEntries(librariesIn(printed))).toEqual({
      '/usr/lib/x86_64-linux-gnu/libnl-3.so.200': { copy: '/layer/lib/x86_64-linux-gnu/libnl-3.so.200' },
      '/usr/lib/x86_64-linux-gnu/libc.so.6': { copy: '/lib/x86_64-linux-gnu/libc.so.6' },
      '/usr/lib64/ld-linux-x86-64.so.2': { copy: '/lib64/ld-linux-x86-64.so.2' },
    });
  });

  it('that are not there are named', () => {
    expect(() => librariesIn('\tlibgone.so.1 => not found\n')).toThrow('libgone.so.1');
  });
});

describe('modules of the kernel', () => {
  const needs: Record<string, string[]> = { a: ['b', 'c'], b: ['d'], c: ['d'], d: [], e: ['a'] };

  it('come after what they need, each once', () => {
    expect(loadingOrder(['e', 'c'], (name) => needs[name]!)).toEqual(['d', 'b', 'c', 'a', 'e']);
  });

  it('say themselves what they need', () => {
    expect(dependenciesIn(Buffer.from('\x7fELF\0license=GPL\0depends=nf-conntrack,libcrc32c\0name=ip_vs\0'))).toEqual([
      'nf_conntrack',
      'libcrc32c',
    ]);
    expect(dependenciesIn(Buffer.from('\x7fELF\0depends=\0name=veth\0'))).toEqual([]);
  });
});
