import { pack } from '../../../tracer/share/pack.ts';
import { isProblem } from '../../../tracer/store/index.ts';
import type { Arguments } from '../command.ts';
import { tellHeld } from '../held.ts';
import { printJson, tell } from '../output.ts';
import { EXIT, Problem } from '../problem.ts';
import { withTrace } from '../trace.ts';
import { outputPath } from '../trace-output.ts';

/** `hvrewind pack`: a small file to share. */
export function run(args: Arguments): Promise<number> {
  const path = outputPath('pack', args, '.hvtrace.zst', args.operands[0] ?? '');
  return withTrace(args.operands[0] ?? '', async ({ file, source }) => {
    const { start } = source;
    const packed = pack(file, path, {
      force: args.flag('force'),
      ...(start === undefined ? {} : { origin: start }),
    });
    if (isProblem(packed)) throw new Problem(`pack: ${packed.text}`);
    tellHeld(path, packed.memoryPages);
    if (args.flag('json')) await printJson({ file: path, ...packed });
    else tell(`${path}: ${packed.events} events, ${packed.bytes} bytes`);
    return EXIT.fine;
  });
}
