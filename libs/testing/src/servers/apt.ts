import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './run.ts';
import { debianMirror, isDebian } from './apt-sources.ts';

/** Where apt-get is asked to look and to write: never the system's own state, so no root is needed and nothing is installed. */
export interface Apt {
  options: string[];
}

/** The system's own configured suites; with lists of our own when the system has none. */
export async function systemApt(folder: string): Promise<Apt> {
  const sandbox = sandboxOptions();
  const known = await run('apt-cache', ['policy', 'redis-server']);
  if (/Candidate: \d/.test(known.stdout)) return { options: sandbox };
  const apt = { options: [...sandbox, ...stateOptions(folder), '-o', 'Dir::State::status=/var/lib/dpkg/status'] };
  await update(apt);
  return apt;
}

/** One newer suite of Debian's archive, and nothing else; apt verifies the archive's signature. */
export async function debianSuite(folder: string, suite: string): Promise<Apt> {
  const empty = join(folder, 'empty');
  const sources = join(folder, 'sources.list');
  mkdirSync(empty, { recursive: true });
  const keyring = await debianKeyring(folder);
  writeFileSync(sources, `deb [signed-by=${keyring}] ${debianMirror()} ${suite} main\n`);
  writeFileSync(join(folder, 'status'), '');
  const apt = {
    options: [
      sandboxOptions(),
      stateOptions(folder),
      ['-o', `Dir::State::status=${join(folder, 'status')}`],
      ['-o', `Dir::Etc::sourcelist=${sources}`, '-o', `Dir::Etc::sourceparts=${empty}`],
      ['-o', 'Dir::Etc::preferences=/dev/null', '-o', `Dir::Etc::preferencesparts=${empty}`],
      ['-o', 'Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled=false', '-o', 'Acquire::Languages=none'],
    ].flat(),
  };
  await update(apt);
  return apt;
}

/**
 * Downloads packages (apt checks each against its signed index) and unpacks them under `into`; nothing is installed.
 * @throws with what apt said; a retry helps only when the network was away.
 */
export async function unpack(apt: Apt, packages: string[], into: string): Promise<void> {
  const downloads = `${into}.debs`;
  mkdirSync(downloads, { recursive: true });
  mkdirSync(into, { recursive: true });
  await must('apt-get', [...apt.options, '-q', 'download', ...packages], downloads);
  for (const file of readdirSync(downloads)) {
    if (file.endsWith('.deb')) await must('dpkg', ['-x', join(downloads, file), into], downloads);
  }
}

/** What installing this package would bring onto this system, the package itself included; empty when apt can't say. */
export async function missingFor(apt: Apt, name: string): Promise<string[]> {
  const plan = await run('apt-get', [...apt.options, '-s', '--no-install-recommends', 'install', name]);
  return [...plan.stdout.matchAll(/^Inst (\S+)/gm)].map((match) => match[1] ?? '').slice(0, 30);
}

async function update(apt: Apt): Promise<void> {
  await must('apt-get', [...apt.options, '-q', '-o', 'Acquire::Retries=2', 'update']);
}

async function must(command: string, args: string[], cwd?: string): Promise<void> {
  const ran = await run(command, args, { ...(cwd ? { cwd } : {}), timeoutMs: 180_000 });
  if (ran.code === 0) return;
  const said = ran.output.trim().split('\n').slice(-4).join(' | ');
  throw new Error(`${command} ${args.at(-1) ?? ''} failed: ${said}`);
}

function stateOptions(folder: string): string[] {
  for (const part of ['state/lists/partial', 'cache/archives/partial']) {
    mkdirSync(join(folder, part), { recursive: true });
  }
  return ['-o', `Dir::State=${join(folder, 'state')}`, '-o', `Dir::Cache=${join(folder, 'cache')}`];
}

/** As root, apt would drop to a user that can't write below our folder. */
function sandboxOptions(): string[] {
  return process.getuid?.() === 0 ? ['-o', 'APT::Sandbox::User='] : [];
}

/** Debian's archive keys; on Ubuntu they come from Ubuntu's own signed archive. */
async function debianKeyring(folder: string): Promise<string> {
  const installed = keyringIn('/');
  if (installed) return installed;
  const into = join(folder, 'keyring');
  await unpack(await systemApt(join(folder, 'system')), ['debian-archive-keyring'], into);
  const unpacked = keyringIn(into);
  if (!unpacked) throw new Error('The package debian-archive-keyring holds no keyring where one is expected.');
  return unpacked;
}

function keyringIn(root: string): string | undefined {
  return ['debian-archive-keyring.gpg', 'debian-archive-keyring.pgp']
    .map((name) => join(root, 'usr/share/keyrings', name))
    .find((file) => existsSync(file));
}

/** Does this system have what `apt.ts` needs? */
export async function hasApt(): Promise<boolean> {
  const [apt, dpkg] = await Promise.all([run('apt-get', ['--version']), run('dpkg', ['--version'])]);
  return apt.code === 0 && dpkg.code === 0;
}

/** One line for messages: which system this is. */
export function systemName(): string {
  if (process.platform !== 'linux') return process.platform;
  const name = /^PRETTY_NAME="?([^"\n]+)/m.exec(
    existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : '',
  );
  return name?.[1] ?? (isDebian() ? 'Debian' : 'Linux');
}
