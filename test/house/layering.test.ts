/**
 * Proves that the walls stand: the project's own tsconfig.json files and biome.json, copied beside snippets that
 * cross a wall, refuse each of them, and let the snippet beside it pass.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, globSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { root } from './files.ts';

/** A snippet and what is said of it: TypeScript's error number or Biome's rule; nothing when it is allowed. */
type Case = { readonly path: string; readonly text: string; readonly refusedAs?: RegExp };

const ofCompiler: readonly Case[] = [
  { path: 'engine/a/fine.ts', text: 'export const a: bigint = BigInt.asUintN(64, -1n);' },
  { path: 'engine/a/node-module.ts', text: "export * from 'node:fs';", refusedAs: /TS(?:2307|2591)\b/ },
  { path: 'engine/a/node-global.ts', text: 'export const a: unknown = process;', refusedAs: /TS2591\b/ },
  { path: 'engine/a/buffer.ts', text: 'export const a: unknown = Buffer;', refusedAs: /TS2591\b/ },
  { path: 'engine/a/dom.ts', text: 'export const a: unknown = document;', refusedAs: /TS2584\b/ },
  { path: 'engine/a/dom-type.ts', text: 'export type A = HTMLElement;', refusedAs: /TS2304\b/ },
  { path: 'engine/a/timer.ts', text: 'setTimeout(() => {}, 1);', refusedAs: /TS2304\b/ },
  { path: 'engine/a/console.ts', text: 'console.log(1);', refusedAs: /TS2584\b/ },
  { path: 'engine/a/up.ts', text: "export * from '../../tracer/plain.ts';", refusedAs: /TS6307\b/ },
  { path: 'engine/a/enum.ts', text: 'export enum A {\n  B = 1,\n}', refusedAs: /TS1294\b/ },
  { path: 'engine/a/fine.test.ts', text: "import test from 'node:test';\ntest('a', () => {});" },
  { path: 'tracer/fine.ts', text: "export * from 'node:fs';\nexport * from '../engine/a/fine.ts';" },
  // What is imported against the direction needs neither Node nor the DOM: only the direction is wrong.
  ...['tracer', 'main', 'renderer'].map((layer) => ({
    path: `${layer}/plain.ts`,
    text: 'export const a = 1;',
  })),
  { path: 'tracer/dom.ts', text: 'export const a: unknown = document;', refusedAs: /TS2584\b/ },
  { path: 'tracer/up.ts', text: "export * from '../main/plain.ts';", refusedAs: /TS6307\b/ },
  { path: 'main/fine.ts', text: "export * from '../tracer/fine.ts';\nexport const pid = process.pid;" },
  { path: 'main/dom.ts', text: 'export const a: unknown = document;', refusedAs: /TS2584\b/ },
  { path: 'main/sideways.ts', text: "export * from '../renderer/plain.ts';", refusedAs: /TS6307\b/ },
  {
    path: 'renderer/fine.tsx',
    text: "export * from '../engine/a/fine.ts';\nexport const a = <p title={document.title} />;",
  },
  { path: 'renderer/node-global.ts', text: 'export const a: unknown = process;', refusedAs: /TS2591\b/ },
  { path: 'renderer/sideways.ts', text: "export * from '../tracer/plain.ts';", refusedAs: /TS6307\b/ },
];

/** What no file may hold is put together here, this file being one. */
const anything = 'any';
const focused = (how: string): string => `import { test } from 'node:test';\n\ntest.${how}('a', () => {});`;

const ofLinter: readonly Case[] = [
  { path: 'engine/a/fine.ts', text: 'export const a: bigint = BigInt.asUintN(64, -1n);' },
  ...['Date', 'Intl', 'WeakRef', 'FinalizationRegistry', 'globalThis', 'parseFloat', 'Float32Array'].map(
    (name) => ({
      path: `engine/a/${name}.ts`,
      text: `export const a: unknown = ${name};`,
      refusedAs: /noRestrictedGlobals/,
    }),
  ),
  {
    path: 'engine/a/for-in.ts',
    text: 'export function a(b: object): void {\n  for (const c in b) a({ c });\n}',
    refusedAs: /noForIn/,
  },
  { path: 'engine/a/clock.test.ts', text: 'export const a: number = Date.now();' },
  { path: 'tracer/clock.ts', text: 'export const a: number = Date.now();' },
  { path: 'tracer/default.ts', text: 'const a = 1;\nexport default a;', refusedAs: /noDefaultExport/ },
  { path: 'tracer/any.ts', text: `export type A = { b: ${anything} };`, refusedAs: /noExplicitAny/ },
  {
    path: 'tracer/skip.test.ts',
    text: focused('skip'),
    refusedAs: /noSkippedTests/,
  },
  {
    path: 'tracer/only.test.ts',
    text: focused('only'),
    refusedAs: /noFocusedTests/,
  },
  {
    path: 'tracer/ring.ts',
    text: "import { a } from './ring2.ts';\n\nexport const b = (): unknown => a;",
    refusedAs: /noImportCycles/,
  },
  {
    path: 'tracer/ring2.ts',
    text: "import { b } from './ring.ts';\n\nexport const a = (): unknown => b;",
    refusedAs: /noImportCycles/,
  },
];

const layers = ['engine', 'tracer', 'main', 'renderer'];

/** A project of nothing but our configuration and `cases`; what `tool` printed about each file. */
function verdicts(
  folder: string,
  cases: readonly Case[],
  tool: string,
  args: readonly string[],
): Map<string, string> {
  for (const { path, text } of cases) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), `${text}\n`);
  }
  const { stdout, stderr } = spawnSync(join(root, 'node_modules/.bin', tool), args, {
    cwd: folder,
    encoding: 'utf8',
  });
  const said = new Map<string, string>();
  for (const line of `${stdout}\n${stderr}`.split('\n')) {
    const path = cases.find((one) => line.startsWith(one.path))?.path;
    if (path !== undefined) said.set(path, `${said.get(path) ?? ''}${line}\n`);
  }
  return said;
}

describe('walls', () => {
  let folder = '';
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'hvrewind-walls-'));
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
    for (const name of ['package.json', 'biome.json', '.gitignore', 'tsconfig.base.json', 'tsconfig.json'])
      cpSync(join(root, name), join(folder, name));
    for (const path of globSync('{engine,tracer,main,renderer,test}/tsconfig*.json', { cwd: root }))
      cpSync(join(root, path), join(folder, path));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const holds = (cases: readonly Case[], said: Map<string, string>): void => {
    for (const { path, refusedAs } of cases) {
      if (refusedAs === undefined) assert.equal(said.get(path), undefined);
      else assert.match(said.get(path) ?? `${path}: not refused`, refusedAs);
    }
  };
  test('the compiler refuses Node, the DOM and imports against the direction', () => {
    holds(ofCompiler, verdicts(folder, ofCompiler, 'tsc', ['-b', '--pretty', 'false']));
  });
  test('Biome refuses the clock and its kind in the engine, and our bad habits everywhere', () => {
    holds(
      ofLinter,
      verdicts(folder, ofLinter, 'biome', [
        'lint',
        '--error-on-warnings',
        '--max-diagnostics=none',
        ...layers,
      ]),
    );
  });
});
