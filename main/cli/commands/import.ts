import { eventTextImporter } from '../../../tracer/import/event-text.ts';
import type { Arguments } from '../command.ts';
import { importing } from '../importing.ts';
import { printJson, tell } from '../output.ts';
import { EXIT } from '../problem.ts';
import { progressLine } from '../progress.ts';
import { record } from '../recording.ts';
import { outputPath } from '../trace-output.ts';

/** `hvrewind import`: event text into a trace, as it is. */
export async function run(args: Arguments): Promise<number> {
  const path = outputPath('import', args, '.hvtrace', args.operands[0] ?? '');
  const events = await importing('import', async () => {
    const source = await eventTextImporter.open(args.operands[0] ?? '');
    const options = { force: args.flag('force'), how: 'import event text' };
    try {
      return await record('import', path, source.header, options, async (writer) => {
        const progress = progressLine('import', 0);
        for await (const batch of source.events) {
          for (const event of batch) writer.append(event);
          progress.report(writer.events);
        }
        progress.done();
        return writer.events;
      });
    } finally {
      await source.close();
    }
  });
  if (args.flag('json')) await printJson({ file: path, events });
  else tell(`${path}: ${events} events`);
  return EXIT.fine;
}
