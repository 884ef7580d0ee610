import { unpack } from '../../../tracer/share/unpack.ts';
import { abiNames } from '../../../tracer/store/index.ts';
import type { Arguments } from '../command.ts';
import { printJson, tell } from '../output.ts';
import { EXIT, Problem } from '../problem.ts';
import { withTrace } from '../trace.ts';
import { outputPath } from '../trace-output.ts';

/** `hvrewind unpack`: a `.hvtrace` again. */
export function run(args: Arguments): Promise<number> {
  const path = outputPath('unpack', args, '.hvtrace', args.operands[0] ?? '');
  return withTrace(args.operands[0] ?? '', async ({ file, source: { start } }) => {
    const events = unpack(file, path, {
      ...{ force: args.flag('force'), names: abiNames(file.header.profile) },
      ...(start === undefined ? {} : { origin: start }),
    });
    if (typeof events !== 'number') throw new Problem(`unpack: ${events.text}`);
    if (args.flag('json')) await printJson({ file: path, events });
    else tell(`${path}: ${events} events`);
    return EXIT.fine;
  });
}
