/** `npm run docs`: writes docs/reference from the ABI tables, docs/rules.md from the rules, docs/bugs.md from samples/bugs. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { generatedPages } from './pages/all.ts';

rmSync(join(import.meta.dirname, 'reference'), { recursive: true, force: true });
const pages = generatedPages();
for (const [path, text] of pages) {
  const file = join(import.meta.dirname, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}
console.log(`${pages.size} pages written below ${import.meta.dirname}`);
