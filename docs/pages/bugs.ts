import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

const ROOT = join(import.meta.dirname, '../../samples/bugs');

/** docs/bugs.md: the bugs of the past that stand below samples/bugs, and which rule finds each. */
export function bugsPage(): string {
  const bugs = globSync('*/README.md', { cwd: ROOT }).sort();
  return [
    '# Bugs of the past',
    '',
    'Each is a folder below samples/bugs: `buggy` shows the finding, `fixed` is the same work done right, and `nearmiss` differs',
    'from `buggy` in one event or in the profile and is legal. Written by `npm run docs`.',
    '',
    '| bug | what went wrong | found by |',
    '|---|---|---|',
    ...bugs.map(row),
    '',
  ].join('\n');
}

function row(readme: string): string {
  const folder = join(readme, '..');
  const title = /^# (.+)$/m.exec(readFileSync(join(ROOT, readme), 'utf8'))?.[1] ?? '';
  const [header = '{}'] = readFileSync(join(ROOT, folder, 'buggy.hvtrace.ndjson'), 'utf8').split('\n', 1);
  const { expect } = JSON.parse(header) as {
    readonly expect?: { readonly findings: readonly { readonly rule: string }[] };
  };
  const rules = [...new Set(expect?.findings.map(({ rule }) => rule))].sort();
  return `| [${basename(folder).slice(0, 3)}](../samples/bugs/${folder}/README.md) | ${title} | ${rules.join(', ')} |`;
}
