import { readCaptureFilter } from '../../engine/filter/capture.ts';
import type { Profile } from '../../engine/trace/profile.ts';
import type { Arguments } from './command.ts';
import { Problem } from './problem.ts';

/** `--filter` of a command that records, checked; nothing without it. */
export function captureFilter(
  command: string,
  args: Arguments,
  profile: Profile,
): { readonly filter?: string } {
  const text = args.value('filter');
  if (text === undefined || text.trim() === '') return {};
  const read = readCaptureFilter(text, profile);
  if ('problem' in read) throw new Problem(`${command}: ${read.problem}`);
  return { filter: read.text };
}
