/**
 * `npm run package [FOLDER]`: builds in dist/package (or FOLDER) what would be published. Nothing in it needs a
 * build or type stripping, which Node does not do below node_modules: the sources emitted as JavaScript, the bundled
 * renderer, the samples, and a manifest that asks for what the running code loads and nothing else.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { build } from 'esbuild';
import { writeRenderer } from '../serve/bundle.ts';

const root = resolve(import.meta.dirname, '../..');

/** Dependencies of a checkout that have done their work when the renderer is bundled. */
const forBundling = ['@preact/signals', 'd3', 'esbuild', 'preact'];

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

/** The packages that the emitted code imports with `import`; fails on one that leads nowhere. */
async function importedPackages(folder: string): Promise<string[]> {
  const { metafile } = await build({
    entryPoints: globSync('{engine,tracer,main}/**/*.js', { cwd: folder }),
    absWorkingDir: folder,
    outdir: 'unwritten',
    bundle: true,
    write: false,
    metafile: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    logLevel: 'error',
  });
  const targets = Object.values(metafile.inputs).flatMap(({ imports }) => imports);
  const names = targets
    .filter(({ external, path }) => external === true && !isBuiltin(path))
    .map(({ path }) => path.split('/', path.startsWith('@') ? 2 : 1).join('/'));
  return Array.from(new Set(names)).sort();
}

async function writeManifest(folder: string): Promise<void> {
  const { version, description, license, engines, dependencies } = JSON.parse(
    readFileSync(join(root, 'package.json'), 'utf8'),
  ) as Manifest;
  const shipped = Object.entries(dependencies).filter(([name]) => !forBundling.includes(name));
  const manifest = {
    name: 'hvrewind',
    version,
    description,
    license,
    type: 'module',
    engines,
    bin: { hvrewind: 'hvrewind' },
    dependencies: Object.fromEntries(shipped),
  };
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);

  // esbuild is asked for only where there are sources to bundle; Electron runs the code that imports it.
  const known = [...Object.keys(manifest.dependencies), 'esbuild', 'electron'];
  const unknown = (await importedPackages(folder)).filter((name) => !known.includes(name));
  if (unknown.length > 0)
    throw new Error(`imported, but no dependency of the package: ${unknown.join(', ')}`);
}

const folder = resolve(root, process.argv[2] ?? 'dist/package');
rmSync(folder, { recursive: true, force: true });
emit(folder);
for (const path of ['hvrewind', 'main/setup/node.sh', 'LICENSE', 'README.md'])
  cpSync(join(root, path), join(folder, path));
for (const path of globSync('samples/**/*.{ndjson,hvtrace,zst,json,md}', { cwd: root }))
  cpSync(join(root, path), join(folder, path));
await writeRenderer(join(folder, 'renderer'));
await writeManifest(folder);
console.log(`built ${folder}`);
