/** Writes mshv.json: `generate.ts INCLUDE-FOLDER VERSION`. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Header, programOf } from './program.ts';

function compiled(include: string): Omit<Header, 'version'> {
  const folder = mkdtempSync(join(tmpdir(), 'hvrewind-headers-'));
  try {
    const [source, program] = [join(folder, 'print.c'), join(folder, 'print')];
    const header = join(include, 'linux/mshv.h');
    // Its own folder for asm/ stands beside the common one (multiarch).
    const folders = [include, join(include, 'x86_64-linux-gnu')].flatMap((path) => ['-I', path]);
    const preprocessed = execFileSync('gcc', ['-E', '-P', ...folders, header], { encoding: 'utf8' });
    writeFileSync(source, programOf(readFileSync(header, 'utf8'), preprocessed));
    execFileSync('gcc', ['-Wall', '-Werror', ...folders, '-o', program, source], { stdio: 'inherit' });
    return JSON.parse(execFileSync(program, { encoding: 'utf8' })) as Omit<Header, 'version'>;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const [include, version] = process.argv.slice(2);
if (include === undefined || version === undefined) {
  console.error('usage: generate.ts INCLUDE-FOLDER VERSION');
  process.exitCode = 2;
} else {
  const header: Header = { version, ...compiled(include) };
  writeFileSync(join(import.meta.dirname, 'mshv.json'), `${JSON.stringify(header, undefined, 2)}\n`);
}
