/**
 * Who may import whom. The compiler refuses most of it already (project references); this also covers packages,
 * Node's modules, and what only tests may use.
 */
import { posix } from 'node:path';
import { lineAt, type Problem, type ProjectFile } from './files.ts';

type Layer = { readonly layers: readonly string[]; readonly packages: readonly string[] };

/** Where a folder may import from. `node:` stands for Node's own modules. */
const allowed: Readonly<Record<string, Layer>> = {
  engine: { layers: ['engine'], packages: [] },
  tracer: { layers: ['engine', 'tracer'], packages: ['node:', 'better-sqlite3', 'koffi'] },
  'tracer/share/parquet': { layers: ['engine', 'tracer'], packages: ['node:', 'hyparquet-writer'] },
  main: { layers: ['engine', 'tracer', 'main'], packages: ['node:', 'esbuild'] },
  'main/desktop': { layers: ['engine', 'tracer', 'main'], packages: ['node:', 'electron', 'esbuild'] },
  renderer: { layers: ['engine', 'renderer'], packages: ['preact', '@preact/signals', 'd3'] },
};

/** The folders of the engine, bottom up: each imports only from those before it. */
const engineOrder = [
  'abi',
  'trace',
  'state',
  'machine',
  'hypervisor',
  'cpu',
  'drivers',
  'replay',
  'rules',
  'filter',
  'analysis',
  'app',
];

/** What tests may use besides what their layer may. */
const forTests = ['node:', 'fast-check', 'playwright-core', '@sparticuz/chromium', 'axe-core', 'hyparquet'];

/** The folder of the engine that `path` stands in; what stands in none belongs to all. */
const engineFolder = (path: string): string | undefined => /^engine\/([^/]+)\//.exec(path)?.[1];

const isTest = (path: string): boolean => /\.(?:test|testing)\.tsx?$/.test(path);

const importPattern =
  /(?:^|[;}\s])(?:(?:import|export)\b[^;'"()]*?\bfrom\s*|import\s*\(?\s*)['"](?<target>[^'"]+)['"]/g;

const isBelow = (lower: string, upper: string): boolean =>
  lower === upper || (engineOrder.includes(lower) && engineOrder.indexOf(lower) < engineOrder.indexOf(upper));

/** Every module that `text` imports, dynamically too, with its line. */
export function importsOf(text: string): { readonly target: string; readonly line: number }[] {
  return Array.from(text.matchAll(importPattern), (match) => ({
    target: match.groups?.target ?? '',
    line: lineAt(text, match.index + match[0].length),
  }));
}

export function wrongImports({ path, text }: ProjectFile): Problem[] {
  if (!/\.tsx?$/.test(path)) return [];
  const folder = Object.keys(allowed)
    .filter((name) => path.startsWith(`${name}/`))
    .at(-1);
  const layer = folder === undefined ? undefined : allowed[folder];
  if (layer === undefined) return [];
  const packages = isTest(path) ? [...layer.packages, ...forTests] : layer.packages;

  return importsOf(text).flatMap(({ target, line }) => {
    const problem = (what: string): Problem[] => [{ path, line, what: `imports ${target}: ${what}` }];
    if (!target.startsWith('.')) {
      const known = packages.some((name) =>
        name.endsWith(':') ? target.startsWith(name) : target === name || target.startsWith(`${name}/`),
      );
      return known ? [] : problem(`${folder} may import ${packages.join(', ') || 'no package'}`);
    }
    const resolved = posix.join(posix.dirname(path), target);
    if (!layer.layers.some((name) => resolved.startsWith(`${name}/`)))
      return problem(`${folder} may import from ${layer.layers.join(', ')}`);
    const [from, to] = [engineFolder(path), engineFolder(resolved)];
    if (from !== undefined && to !== undefined && !isTest(path) && !isBelow(to, from))
      return problem(`engine folders go one way: ${engineOrder.join(' <- ')}`);
    if (isTest(resolved) && !isTest(path)) return problem('only tests may import what serves tests');
    return [];
  });
}
