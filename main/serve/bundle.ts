import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

const root = join(import.meta.dirname, '../..');
/** What a checkout has and a published package has not. */
const entry = join(root, 'renderer/main.tsx');
/** Sent as they are. */
const PLAIN = ['index.html', 'icon.svg'] as const;

/** Files of the app by path below its address: `index.html`, `main.js`, `main.css`, `icon.svg`. */
export type RendererFiles = ReadonlyMap<string, Uint8Array>;

/**
 * The app as a browser loads it. In a checkout it is bundled here and now (some 100 ms), so that it is never
 * stale; a published package holds what {@link writeRenderer} wrote when it was made.
 */
export async function bundleRenderer(): Promise<RendererFiles> {
  return existsSync(entry) ? bundle(false) : readRenderer(join(root, 'renderer'));
}

/** Bundles the app into `folder`, minified: for the published package. */
export async function writeRenderer(folder: string): Promise<void> {
  for (const [name, bytes] of await bundle(true)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), bytes);
  }
}

async function bundle(minify: boolean): Promise<RendererFiles> {
  // Loaded only here: a published package does not have it.
  const { build } = await import('esbuild');
  const { outputFiles } = await build({
    entryPoints: [entry, join(root, 'renderer/main.css')],
    outdir: join(root, 'renderer'),
    bundle: true,
    write: false,
    format: 'esm',
    target: ['chrome120', 'firefox121', 'safari17.2'],
    jsx: 'automatic',
    jsxImportSource: 'preact',
    minify,
    sourcemap: minify ? false : 'linked',
    legalComments: 'none',
    logLevel: 'silent',
  });
  const files = new Map<string, Uint8Array>();
  for (const { path, contents } of outputFiles)
    files.set(path.slice(join(root, 'renderer/').length), contents);
  for (const name of PLAIN) files.set(name, await readFile(join(root, 'renderer', name)));
  return files;
}

async function readRenderer(folder: string): Promise<RendererFiles> {
  const names = [...PLAIN, 'main.js', 'main.css'];
  return new Map(
    await Promise.all(names.map(async (name) => [name, await readFile(join(folder, name))] as const)),
  );
}
