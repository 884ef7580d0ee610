import { play } from '../../../engine/replay/play.ts';
import type { TraceEvent } from '../../../engine/trace/event.ts';
import type { TraceHeader } from '../../../engine/trace/profile.ts';
import { eventTextImporter } from '../../../tracer/import/event-text.ts';
import { recordingSink } from '../../../tracer/store/index.ts';
import type { Arguments } from '../command.ts';
import { importing } from '../importing.ts';
import { printJson, tell } from '../output.ts';
import { EXIT, Problem } from '../problem.ts';
import { withProfile } from '../profile-option.ts';
import { progressLine } from '../progress.ts';
import { record } from '../recording.ts';
import { SIDES } from '../sides.ts';
import { outputPath } from '../trace-output.ts';

/** `hvrewind run`: plays the stimuli of a scenario and records everything that happens. */
export async function run(args: Arguments): Promise<number> {
  const path = outputPath('run', args, '.hvtrace', args.operands[0] ?? '');
  const played = await importing('run', async () => {
    const scenario = await eventTextImporter.open(args.operands[0] ?? '');
    let header: TraceHeader;
    // Scenarios are written by hand: they fit in memory.
    const stimuli: TraceEvent[] = [];
    try {
      if (scenario.start !== undefined)
        throw new Problem('run: it starts with the state of a flight recorder, which `import` keeps');
      header = withProfile(scenario.header, args.value('profile'));
      for await (const batch of scenario.events) for (const event of batch) stimuli.push(event);
    } finally {
      await scenario.close();
    }
    return record('run', path, header, { force: args.flag('force'), how: 'run' }, (writer) => {
      const sink = recordingSink(writer);
      const progress = progressLine('run', 0);
      const result = play(stimuli, header.profile, SIDES, {
        ...sink,
        step(step, machine) {
          sink.step(step, machine);
          progress.report(writer.events);
        },
      });
      progress.done();
      writer.hash(result.hash);
      return result;
    });
  });
  if (args.flag('json')) await printJson({ file: path, ...played });
  else tell(`${path}: ${played.events} events, hash ${played.hash}`);
  return EXIT.fine;
}
