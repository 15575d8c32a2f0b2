/** A file of one host, as it shall lie there. */
export interface RenderedFile {
  /** From the root of the host: `/etc/tocsin/…` or `/etc/systemd/system/…`. */
  path: string;
  content: string;
  /** Who may read it beside root. Left out: everybody, as it holds no secret. */
  group?: string;
  executable?: boolean;
}

/** Everything of ours lies in one folder, each product in one of its own. */
export const ETC = '/etc/tocsin';
/** Data, a folder for each product. */
export const STATE = '/var/lib/tocsin';
/** Sockets and process ids. */
export const RUN = '/run/tocsin';

export function readableBy(group: string, path: string, content: string): RenderedFile {
  return { path, content, group };
}
