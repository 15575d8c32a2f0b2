import { chownSync, existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './run.ts';

/** A command, changed so that it does not run as root. */
export interface Launch {
  command: string;
  args: string[];
}

/** Runs a program as another user than root, for those that refuse root. As an ordinary user it changes nothing. */
export class Unprivileged {
  private constructor(private readonly user: { uid: number; gid: number } | undefined) {}

  /** As root: the user `postgres` if there is one, else `nobody`. */
  static async find(): Promise<Unprivileged> {
    if (process.getuid?.() !== 0) return new Unprivileged(undefined);
    for (const name of ['postgres', 'nobody']) {
      const [uid, gid] = await Promise.all([run('id', ['-u', name]), run('id', ['-g', name])]);
      if (uid.code === 0 && gid.code === 0) {
        return new Unprivileged({ uid: Number(uid.stdout), gid: Number(gid.stdout) });
      }
    }
    throw new Error('PostgreSQL refuses to run as root and there is no user `nobody`; run this as an ordinary user.');
  }

  /**
   * The command under that user. The one capability it keeps lets it reach a clone below a folder that it
   * could not traverse, such as /root; it can change no owner and gain no other right with it.
   */
  launch(command: string, args: string[]): Launch {
    if (!this.user) return { command, args };
    const setpriv = ['/usr/bin/setpriv', '/bin/setpriv'].find((file) => existsSync(file));
    if (!setpriv) throw new Error('As root this needs setpriv (package util-linux); or run it as an ordinary user.');
    // Without the secure bit, access(2) would leave that capability out of account.
    const keep = [
      '--securebits=+no_setuid_fixup',
      '--inh-caps=-all,+dac_override',
      '--ambient-caps=-all,+dac_override',
      '--bounding-set=-all,+dac_override',
    ];
    const as = [`--reuid=${this.user.uid}`, `--regid=${this.user.gid}`, '--clear-groups'];
    return { command: setpriv, args: [...as, ...keep, command, ...args] };
  }

  /** Makes that user the owner of a folder and all in it. */
  own(folder: string): void {
    if (!this.user) return;
    chownSync(folder, this.user.uid, this.user.gid);
    for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
      if (!entry.isSymbolicLink()) chownSync(join(entry.parentPath, entry.name), this.user.uid, this.user.gid);
    }
  }
}
