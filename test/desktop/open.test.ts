/** The command `open`: what it starts, and that it fetches nothing. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { before, describe, test } from 'node:test';
import { launchElectron } from '../../main/desktop/launch.ts';
import { scratch } from '../../tracer/store/scratch.testing.ts';
import { exits, hvrewind, PROGRAM, sample } from '../cli/hvrewind.testing.ts';
import { importsOf } from '../house/imports.ts';

const root = resolve(import.meta.dirname, '../..');
const folder = scratch();
const trace = join(folder, 'a.hvtrace');

/** Ends a process with 99 at its first attempt to reach another machine. */
const noNetwork = `data:text/javascript,${encodeURIComponent(`
  import dns from 'node:dns';
  import net from 'node:net';
  const end = (what) => { console.error('network: ' + what); process.exit(99); };
  const { lookup } = dns;
  dns.lookup = (name, ...words) => (name === '127.0.0.1' ? lookup(name, ...words) : end(name));
  net.Socket.prototype.connect = (...words) => end(JSON.stringify(words));
`)}`;
/** Where there is no Electron, whatever this machine has. */
const env = { ...process.env, ELECTRON_OVERRIDE_DIST_PATH: folder, NODE_OPTIONS: `--import=${noNetwork}` };

before(() => exits(0, ['run', sample('teardown-l1vh-kexec-before'), '-o', trace]));

describe('open without Electron', () => {
  test('serves the trace, says why, and fetches nothing', async () => {
    const child = spawn(PROGRAM, ['open', trace, '--json'], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    let told = '';
    child.stderr.on('data', (text: Buffer) => {
      told += text.toString();
    });
    const said = await Promise.race([once(child.stdout, 'data'), once(child, 'exit')]);
    assert.ok(Buffer.isBuffer(said[0]), `it ended with ${String(said[0])}: ${told}`);
    const { url } = JSON.parse(said[0].toString()) as { url: string };
    const page = await fetch(url, { redirect: 'manual' });
    assert.equal(page.status, 303);
    child.kill('SIGTERM');
    const [status] = (await once(child, 'exit')) as [number];
    assert.equal(status, 0, told);
    assert.match(told, /Electron is not here .*: the app opens in the browser\n$/);
  });

  test('and without a file says what is missing', async () => {
    const child = spawn(PROGRAM, ['open'], { env, stdio: ['ignore', 'ignore', 'pipe'] });
    const told = once(child.stderr, 'data') as Promise<[Buffer]>;
    const [status] = (await once(child, 'exit')) as [number];
    assert.equal(status, 3);
    assert.match(
      String((await told)[0]),
      /^hvrewind: open: Electron is not here .*electron:install[^\n]*\n$/,
    );
  });

  test('refuses what is no trace before anything is started', async () => {
    const { exit, err } = await hvrewind(['open', join(folder, 'absent.hvtrace')]);
    assert.equal(exit, 2);
    assert.match(err, /^hvrewind: [^\n]*absent\.hvtrace[^\n]*\n$/);
  });
});

describe('Electron', () => {
  const program = join(folder, 'electron');
  const told = join(folder, 'told');
  const fake = (text: string): void => {
    writeFileSync(program, `#!/bin/sh\n${text}\n`);
    chmodSync(program, 0o755);
  };

  test('gets the built folder and the file, and its status is ours', async () => {
    fake(`echo "$ELECTRON_RUN_AS_NODE|$@" > ${told}; exit 7`);
    process.env.ELECTRON_RUN_AS_NODE = '1';
    try {
      assert.equal(await launchElectron(program, '/built', [trace]), 7);
    } finally {
      delete process.env.ELECTRON_RUN_AS_NODE;
    }
    assert.equal(readFileSync(told, 'utf8'), `|/built ${trace}\n`);
    fake('kill -TERM $$');
    assert.equal(await launchElectron(program, '/built', []), 128 + 15);
    rmSync(program);
    await assert.rejects(launchElectron(program, '/built', []), /ENOENT/);
  });

  test('is imported by nothing that the command line can reach', () => {
    const seen = new Set<string>();
    const visit = (path: string): void => {
      if (seen.has(path)) return;
      seen.add(path);
      for (const { target } of importsOf(readFileSync(path, 'utf8'))) {
        assert.notEqual(target.split('/')[0], 'electron', path);
        if (target.startsWith('.')) visit(join(dirname(path), target));
      }
    };
    visit(join(root, 'main/cli/main.ts'));
    assert.ok(seen.has(join(root, 'main/cli/commands/open.ts')));
    assert.ok(seen.has(join(root, 'main/desktop/build.ts')));
    assert.ok(!seen.has(join(root, 'main/desktop/main.ts')));
  });
});
