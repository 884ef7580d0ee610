import { mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { BuildOptions } from 'esbuild';
import { VERSION } from '../cli/version.ts';
import { bundleRenderer } from '../serve/bundle.ts';

const here = import.meta.dirname;

/** Electron runs Node 24 in its main process and in worker threads. Packages are found where they are installed. */
const PROGRAM: BuildOptions = {
  entryPoints: { main: join(here, 'main.ts'), worker: join(here, '../session/worker.ts') },
  platform: 'node',
  format: 'esm',
  target: 'node24',
  packages: 'external',
};

/** A preload script in the sandbox is one CommonJS file, which may load `electron` alone. */
const PRELOAD: BuildOptions = {
  entryPoints: [join(here, 'preload.ts')],
  platform: 'browser',
  format: 'cjs',
  target: 'chrome140',
  external: ['electron'],
  outExtension: { '.js': '.cjs' },
};

/**
 * Writes what Electron starts into `folder`: `main.js`, `worker.js`, `preload.cjs`, the page's files in `app`, and a
 * package.json that names the program. Takes some 0.2 s, so it is done at each start and never stale. A program that
 * runs from the same folder never sees half a file.
 */
export async function buildDesktop(folder: string): Promise<void> {
  const [program, preload, page] = await Promise.all([bundle(PROGRAM), bundle(PRELOAD), bundleRenderer()]);
  const manifest = { name: 'hvrewind', version: VERSION, type: 'module', main: 'main.js' };
  const files = new Map<string, Uint8Array | string>([
    ...program,
    ...preload,
    ...[...page].map(([name, bytes]) => [join('app', name), bytes] as const),
    ['package.json', JSON.stringify(manifest)],
  ]);
  for (const [name, content] of files) await replace(join(folder, name), content);
}

async function bundle(options: BuildOptions): Promise<(readonly [string, Uint8Array])[]> {
  // Loaded only here: no other command needs it.
  const { build } = await import('esbuild');
  const { outputFiles = [] } = await build({
    ...options,
    outdir: here,
    bundle: true,
    write: false,
    legalComments: 'none',
    logLevel: 'silent',
  });
  return outputFiles.map(({ path, contents }) => [path.slice(here.length + 1), contents] as const);
}

async function replace(path: string, content: Uint8Array | string): Promise<void> {
  const whole = `${path}.${process.pid}`;
  await mkdir(dirname(path), { recursive: true });
  await writeFile(whole, content);
  await rename(whole, path);
}
