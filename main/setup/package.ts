/**
 * `npm run package [FOLDER]`: builds in dist/package (or FOLDER) what would be published. Nothing in it needs a
 * build or type stripping, which Node does not do below node_modules: the sources emitted as JavaScript, the bundled
 * renderer, the samples, and a manifest that asks for what the running code loads and nothing else.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../..');

/** Loaded by code that a published package never runs (the bundler), or there already (Electron runs the code). */
const notShipped = ['esbuild', 'electron'];

type Manifest = {
  readonly version: string;
  readonly description: string;
  readonly license: string;
  readonly engines: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
};

/** Writes the JavaScript of engine, tracer and main, without their tests, below `folder`. */
function emit(folder: string): void {
  const config = join(root, '.tsbuild/tsconfig.package.json');
  const layers = ['engine', 'tracer', 'main'];
  const options = {
    extends: '../tsconfig.base.json',
    compilerOptions: {
      types: ['node'],
      rootDir: '..',
      outDir: folder,
      composite: false,
      emitDeclarationOnly: false,
      rewriteRelativeImportExtensions: true,
    },
    include: layers.map((layer) => `../${layer}/**/*.ts`),
    exclude: ['../**/*.test.ts', '../**/*.testing.ts', '../main/setup/*', '../main/start.ts'],
  };
  mkdirSync(dirname(config), { recursive: true });
  writeFileSync(config, JSON.stringify(options));
  const { status } = spawnSync(join(root, 'node_modules/.bin/tsc'), ['-p', config], { stdio: 'inherit' });
  if (status !== 0) throw new Error('the sources do not compile');
}

/** The packages that the emitted code imports. */
function importedPackages(folder: string): string[] {
  const names = new Set<string>();
  for (const path of globSync('{engine,tracer,main}/**/*.js', { cwd: folder })) {
    const code = readFileSync(join(folder, path), 'utf8');
    for (const [, target = ''] of code.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*['"]((?!\.)[^'"\s]+)['"]/g)) {
      const name = target.split('/', target.startsWith('@') ? 2 : 1).join('/');
      if (!name.startsWith('node:') && !builtinModules.includes(name)) names.add(name);
    }
  }
  return Array.from(names).sort();
}

function writeManifest(folder: string): void {
  const { version, description, license, engines, dependencies } = JSON.parse(
    readFileSync(join(root, 'package.json'), 'utf8'),
  ) as Manifest;
  const needed = importedPackages(folder).filter((name) => !notShipped.includes(name));
  const manifest = {
    name: 'hvrewind',
    version,
    description,
    license,
    type: 'module',
    engines,
    bin: { hvrewind: 'hvrewind' },
    dependencies: Object.fromEntries(
      needed.map((name) => {
        const pinned = dependencies[name];
        if (pinned === undefined)
          throw new Error(`${name} is imported but no dependency of the root package`);
        return [name, pinned];
      }),
    ),
  };
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
}

const folder = resolve(root, process.argv[2] ?? 'dist/package');
rmSync(folder, { recursive: true, force: true });
emit(folder);
for (const path of ['hvrewind', 'main/setup/node.sh', 'LICENSE', 'README.md'])
  cpSync(join(root, path), join(folder, path));
for (const path of globSync('samples/**/*.{ndjson,hvtrace,zst,json,md}', { cwd: root }))
  cpSync(join(root, path), join(folder, path));
writeManifest(folder);
console.log(`built ${folder}`);
