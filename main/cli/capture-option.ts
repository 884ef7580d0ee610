import { readCaptureFilter } from '../../engine/filter/capture.ts';
import type { Profile } from '../../engine/trace/profile.ts';
import type { Kept } from '../../tracer/sink/kept.ts';
import { readRingLimit } from '../../tracer/sink/ring-limit.ts';
import type { Arguments } from './command.ts';
import { Problem } from './problem.ts';

/** `--filter`, `--ring` and `--until` of a command that records, checked. */
export function captureOptions(command: string, args: Arguments, profile: Profile): Kept {
  const filter = filterOf(command, args.value('filter'), profile);
  const until = filterOf(command, args.value('until'), profile);
  const size = args.value('ring');
  const ring = size === undefined ? undefined : readRingLimit(size);
  if (size !== undefined && ring === undefined)
    throw new Problem(`${command}: --ring ${JSON.stringify(size)}: expected a number of events, 64MB or 30s`);
  if (ring !== undefined && filter !== undefined)
    throw new Problem(
      `${command}: --ring keeps what replay needs, --filter leaves it out; choose one of them`,
    );
  return {
    ...(filter === undefined ? {} : { filter }),
    ...(ring === undefined ? {} : { ring }),
    ...(until === undefined ? {} : { until }),
  };
}

function filterOf(command: string, text: string | undefined, profile: Profile): string | undefined {
  if (text === undefined || text.trim() === '') return undefined;
  const read = readCaptureFilter(text, profile);
  if ('problem' in read) throw new Problem(`${command}: ${read.problem}`);
  return read.text;
}
