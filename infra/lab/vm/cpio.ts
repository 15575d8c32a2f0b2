/** One file of an archive. */
export interface Entry {
  /** From the root, without a slash before it. */
  path: string;
  /** What it is, and who may do what: as in `stat`. */
  mode: number;
  content?: Buffer;
}

export const FOLDER = 0o040_000;
export const FILE = 0o100_000;
export const LINK = 0o120_000;

/** An archive as the kernel takes it for its first root (cpio, "newc"). All belongs to root. */
export function cpio(entries: readonly Entry[]): Buffer {
  const all = [...entries, { path: 'TRAILER!!!', mode: 0 }];
  return Buffer.concat(all.flatMap((entry, index) => record(entry, index + 1)));
}

function record({ path, mode, content = Buffer.alloc(0) }: Entry, inode: number): Buffer[] {
  const name = Buffer.from(`${path}\0`);
  const folders = (mode & 0o170_000) === FOLDER;
  // inode, mode, owner, group, links, time, size, four numbers of devices, length of the name, checksum
  const numbers = [inode, mode, 0, 0, folders ? 2 : 1, 0, content.length, 0, 0, 0, 0, name.length, 0];
  const header = `070701${numbers.map((number) => number.toString(16).padStart(8, '0')).join('')}`;
  return [padded(Buffer.concat([Buffer.from(header), name])), padded(content)];
}

function padded(part: Buffer): Buffer {
  return Buffer.concat([part, Buffer.alloc(-part.length & 3)]);
}
