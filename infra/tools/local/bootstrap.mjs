// Runs on whatever Node is installed (20.20 or newer) with no dependency in place: installs them, then goes on with the
// Node that this repository pins. Usage: node infra/tools/local/bootstrap.mjs start|test|bench|drill|mutants|hosts|lab [arguments]
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '../../..');
const bin = join(root, 'node_modules', '.bin');
const pinnedNode = join(bin, process.platform === 'win32' ? 'node.exe' : 'node');
const [command, ...args] = process.argv.slice(2);
const commands = ['start', 'test', 'bench', 'drill', 'mutants', 'hosts', 'lab'];

if (['--help', '-h'].includes(command)) {
  console.log(`Usage: npm start, npm test, or npm run ${commands.slice(2).join(', ')}; each takes -- --help.`);
  process.exit(0);
}
if (!commands.includes(command)) fail(`Unknown command "${command ?? ''}"; use one of: ${commands.join(', ')}.`);
if (!installed()) await install();
const node = existsSync(pinnedNode) ? pinnedNode : ownNode();
process.exitCode = await hand(join('infra', 'tools', 'local', 'src', `${command}.ts`));

/** Does node_modules hold what package-lock.json asks for? Judged by versions: a checkout changes the files' times. */
function installed() {
  try {
    const wanted = packagesOf('package-lock.json');
    const present = packagesOf(join('node_modules', '.package-lock.json'));
    return Object.entries(wanted).every(
      ([path, entry]) =>
        !path.startsWith('node_modules/') || entry.optional || entry.peer || present[path]?.version === entry.version,
    );
  } catch {
    return false;
  }
}

function packagesOf(file) {
  return JSON.parse(readFileSync(join(root, file), 'utf8')).packages;
}

async function install() {
  console.log('Installing dependencies (npm ci) …');
  const npm = process.env.npm_execpath;
  const [program, first] = npm && /npm-cli\.c?js$/.test(npm) ? [process.execPath, [npm]] : ['npm', []];
  // Packages are made for the pinned Node: what npm says of the one that it runs on itself (EBADENGINE) is of no account.
  const settings = ['--no-audit', '--no-fund', '--loglevel=error'];
  const code = await run(program, [...first, 'ci', ...settings], withoutNpmSettings());
  if (code !== 0) fail('`npm ci` failed; see its message above.');
}

/** Where this repository pins no Node for the system, the one that runs this has to do. */
function ownNode() {
  if (Number(process.versions.node.split('.')[0]) >= 24) return process.execPath;
  return fail(
    `This repository brings Node 24 for Linux on x64 and arm64 (package.json, optionalDependencies), and npm installed none ` +
      `here (${process.platform}-${process.arch}). Install Node 24 or newer, or run \`npm ci\` without --omit=optional.`,
  );
}

/** npm hands its own settings to scripts through the environment; a fresh npm must read them itself. */
function withoutNpmSettings() {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^npm_(lifecycle|package|command)/.test(name)),
  );
}

/** Runs the command's TypeScript under the pinned Node; it ends with us, and we end with it. */
function hand(file) {
  const path = [bin, process.env.PATH].join(delimiter);
  return run(
    node,
    ['--import', '@oxc-node/core/register', join(root, file), ...args],
    { ...process.env, PATH: path },
    true,
  );
}

function run(program, programArgs, env, tether = false) {
  return new Promise((resolve) => {
    const stdio = ['inherit', 'inherit', 'inherit', ...(tether ? ['ipc'] : [])];
    const child = spawn(program, programArgs, { cwd: root, env, stdio });
    // Ctrl-C reaches the child by itself, too: it is told, and tells that from a signal sent to us alone. npm does not listen.
    let asked = false;
    const stop = (signal) => {
      if (asked) return;
      asked = true;
      if (!tether) child.kill(signal);
      else if (child.connected) child.send({ stop: signal });
    };
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, stop);
    // When what ran us (npm) is gone without having told us, nobody could stop us any more.
    const parent = process.ppid;
    if (tether) setInterval(() => process.ppid !== parent && stop('SIGTERM'), 1_000).unref();
    child.once('error', (error) => fail(`${program} can't be run: ${error.message}`));
    child.once('exit', (code, signal) => resolve(code ?? (signal === 'SIGINT' ? 130 : 1)));
  });
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
