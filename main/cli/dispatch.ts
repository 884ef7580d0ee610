import { nearest } from '../../engine/filter/near.ts';
import { parseCommandLine } from './arguments.ts';
import { commandPage, overview } from './help.ts';
import { EXIT, Problem } from './problem.ts';
import { COMMANDS } from './table.ts';

/** Runs one command line and resolves to its exit code; a mistake of the user is one line on stderr. */
export async function dispatch(words: readonly string[]): Promise<number> {
  try {
    return await main(words);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    // Over what is left of a progress line.
    const start = process.stderr.isTTY ? '\r\u001b[K' : '';
    process.stderr.write(`${start}hvrewind: ${error.message}\n`);
    return error.exit;
  }
}

async function main(words: readonly string[]): Promise<number> {
  const [name, ...rest] = words;
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    process.stdout.write(overview());
    return name === undefined ? EXIT.usage : EXIT.fine;
  }
  if (name === '--version') {
    const { VERSION } = await import('./version.ts');
    process.stdout.write(`hvrewind ${VERSION}\n`);
    return EXIT.fine;
  }
  const spec = COMMANDS.find((c) => c.name === name);
  if (spec === undefined) {
    const [near] = nearest(
      name,
      COMMANDS.map((c) => c.name),
    );
    const hint = near === undefined ? 'hvrewind --help lists them' : `did you mean ${near}?`;
    throw new Problem(`unknown command ${JSON.stringify(name)}; ${hint}`);
  }
  const args = parseCommandLine(spec, rest);
  if (args.flag('help')) {
    process.stdout.write(commandPage(spec));
    return EXIT.fine;
  }
  const { run } = await spec.load();
  return run(args);
}
