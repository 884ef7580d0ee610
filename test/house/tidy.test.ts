/** The written rules that a machine can hold, run over every file of the project. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { codeOnly } from './code-only.ts';
import { brokenLinks, decisionRecords, folderReadmes } from './docs.ts';
import { type Problem, type ProjectFile, projectFiles } from './files.ts';
import { wrongImports } from './imports.ts';
import { impure } from './purity.ts';
import { mentionsPrivate, staleLongFiles, suppressed, tooLong, unfinished } from './text.ts';

type Rule = {
  readonly name: string;
  readonly check: (files: readonly ProjectFile[]) => Problem[];
  /** Each of these sets of files breaks the rule, in exactly one place. */
  readonly bad: readonly Readonly<Record<string, string>>[];
  /** Near misses: the rule is silent on them. */
  readonly good: readonly Readonly<Record<string, string>>[];
};

const eachFile =
  (check: (file: ProjectFile) => Problem[]) =>
  (files: readonly ProjectFile[]): Problem[] =>
    files.flatMap(check);

const engine = (...lines: string[]): Record<string, string>[] =>
  lines.map((text) => ({ 'engine/a/b.ts': text }));
const page = (text: string, others: Record<string, string> = {}): Record<string, string> => ({
  'docs/page.md': text,
  ...others,
});
/** Joined here, so that the words do not stand in this file. */
const word = (...parts: string[]): string => parts.join('');

const rules: readonly Rule[] = [
  {
    name: 'the engine is pure',
    check: eachFile(impure),
    bad: engine(
      'x = Math.random();',
      'x = Math.sqrt(y);',
      'x = Math . log2(y);',
      'x = 2 ** 32;',
      'x = 0.5;',
      'x = y.toFixed(1);',
      'view.getFloat64(0);',
      'x.toLocaleUpperCase();',
      'x.localeCompare(y);',
      'x.sort();',
      'x.toSorted( );',
      'async function f() {}',
      // A template's text is no code, what stands in ${} is.
      'x = `Math.random ${Math.random()} **`;',
    ),
    good: [
      ...engine(
        'x = Math.floor(y / 2) + Math.imul(a, b);',
        '// Math.random(), 0.5\n/* 2 ** 32 */ x = "Math.sqrt";',
        'x = /0.5 ** Math.random/.test(y) ? 1 : 10_000;',
        'x.sort((a, b) => a - b);',
        'x = `0.5 ${`${y} Math.random`} ${{ a: 1 }} **`;',
        'x = y / 2; z = a / b; // 0.5 / 1',
        'x = row[0]; y = t.position.seq; this.#await(x);',
      ),
      { 'engine/a/b.test.ts': 'x = Math.random();' },
      { 'renderer/b.ts': 'x = Math.sqrt(y);' },
    ],
  },
  {
    name: 'imports go one way',
    check: eachFile(wrongImports),
    bad: [
      ...engine(
        "import { a } from '../../tracer/store/writer.ts';",
        "import {\n  a,\n  b,\n} from '../../main/cli/main.ts';",
        "import type { a } from 'node:fs';",
        "export * from 'preact';",
        "const { a } = await import('node:fs');",
        "import 'koffi';",
        "import { a } from './a.testing.ts';",
      ),
      { 'engine/trace/a.ts': "import { a } from '../rules/rule.ts';" },
      { 'engine/trace/a.ts': "import { a } from '../unheard/of.ts';" },
      { 'tracer/a.ts': "import { a } from '../main/cli/table.ts';" },
      { 'tracer/a.ts': "import fc from 'fast-check';" },
      { 'renderer/a.tsx': "import { a } from '../tracer/store/reader.ts';" },
      { 'renderer/a.tsx': "import { a } from 'better-sqlite3';" },
      { 'main/cli/a.ts': "import { app } from 'electron';" },
    ],
    good: [
      { 'engine/rules/a.ts': "import { a } from '../trace/position.ts';" },
      { 'engine/trace/a.test.ts': "import { a } from '../rules/rule.ts';" },
      ...engine("import { a } from '../version.ts';", "const s = 'we import it from';"),
      {
        'engine/a.test.ts':
          "import fc from 'fast-check';\nimport test from 'node:test';\nimport './a.testing.ts';",
      },
      { 'tracer/a.ts': "import { a } from '../engine/trace/position.ts';\nimport koffi from 'koffi';" },
      { 'main/desktop/a.ts': "import { app } from 'electron';" },
      { 'renderer/a.tsx': "import { h } from 'preact/hooks';" },
      { 'test/a.test.ts': "import { chromium } from 'playwright-core';" },
    ],
  },
  {
    name: 'nothing is left for later',
    check: eachFile(unfinished),
    bad: [word('TO', 'DO'), word('FIX', 'ME'), word('XX', 'X')].map((text) => ({
      'main/a.ts': `// ${text}: later`,
    })),
    good: [{ 'main/a.ts': word('// HVMSG_XX', 'XX, FIXED, TO', 'DOS') }],
  },
  {
    name: 'no check is switched off in place',
    check: eachFile(suppressed),
    bad: [
      word('@ts-', 'ignore'),
      word('@ts-', 'expect-error'),
      word('biome-', 'ignore'),
      word('eslint-', 'disable'),
    ].map((text) => ({ 'main/a.ts': `// ${text} lint: because` })),
    good: [{ 'main/a.ts': "const tool = bin('biome');" }],
  },
  {
    name: 'no path or host of one machine',
    check: eachFile(mentionsPrivate),
    bad: [
      word('see ..', '/shared/spec'),
      word(' /wo', 'rk/main'),
      word('"reso', 'lved": ""'),
      word('registry', '.npmjs.org'),
    ].map((text) => ({ 'docs/a.md': text })),
    good: [{ 'docs/a.md': word('docs/wo', 'rk/a and ../engine') }],
  },
  {
    name: 'files are short',
    check: eachFile(tooLong),
    bad: [{ 'main/a.ts': 'x;\n'.repeat(401) }],
    good: [{ 'main/a.ts': 'x;\n'.repeat(400) }, { 'docs/a.md': 'x\n'.repeat(500) }],
  },
  {
    name: 'every folder with code has a short README',
    check: folderReadmes,
    bad: [{ 'main/a/b.ts': '' }, { 'main/a/b.tsx': '', 'main/a/README.md': 'x\n'.repeat(13) }],
    good: [{ 'main/a/b.ts': '', 'main/a/README.md': 'x\n\n'.repeat(12) }, { 'docs/a.md': '' }],
  },
  {
    name: 'links lead somewhere',
    check: brokenLinks,
    bad: [
      page('[a](b.md)'),
      page('[a](#b)\n# c'),
      page('![a](b.png)'),
      page('[a](b.md#c)', { 'docs/b.md': '# d' }),
    ],
    good: [
      page('[a](#b-c-d)\n# B `c`, d'),
      page('[a](https://example.org) `[a](b)`\n```\n[a](b)\n```'),
      page('[a](b.md#d-1) [b](sub/)', { 'docs/b.md': '# d\n# d', 'docs/sub/x.ts': '' }),
    ],
  },
  {
    name: 'decision records are numbered and name what was rejected',
    check: decisionRecords,
    bad: [{ 'docs/decisions/0001-a.md': '# A' }, { 'docs/decisions/a.md': '## Rejected' }],
    good: [{ 'docs/decisions/README.md': '', 'docs/decisions/0001-a.md': '# A\n## Rejected\n' }],
  },
];

const asFiles = (files: Readonly<Record<string, string>>): ProjectFile[] =>
  Object.entries(files).map(([path, text]) => ({ path, text }));

describe('the rules themselves', () => {
  for (const { name, check, bad, good } of rules) {
    test(name, () => {
      for (const files of bad) assert.equal(check(asFiles(files)).length, 1, JSON.stringify(files));
      for (const files of good) assert.deepEqual(check(asFiles(files)), [], JSON.stringify(files));
    });
  }
  test('blanking keeps every offset and line', () => {
    const source = "a('x\\'y'); // 'z\nb(`p${c(`q${d}`, { e: 1 })}\nr`); /[/']/.test(f) / 2; /* g\n*/ h";
    const code = codeOnly(source);
    assert.equal(code.length, source.length);
    assert.deepEqual(code.match(/\w+/g), ['a', 'b', 'c', 'd', 'e', '1', 'test', 'f', '2', 'h']);
    assert.equal(code.split('\n').length, source.split('\n').length);
  });
});

describe('the project keeps them', () => {
  const files = projectFiles();
  for (const { name, check } of rules) {
    test(name, () => {
      const problems = check(files).map(({ path, line, what }) => `${path}:${line}: ${what}`);
      assert.equal(problems.length, 0, `\n${problems.join('\n')}`);
    });
  }
  test('every exception from the length of files is still needed', () => {
    assert.deepEqual(staleLongFiles(files), []);
  });
});
