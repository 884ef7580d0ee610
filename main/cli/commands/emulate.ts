import { ENGINE_VERSION } from '../../../engine/version.ts';
import { emulate } from '../../../tracer/emulate/emulate.ts';
import { captureOptions } from '../capture-option.ts';
import type { Arguments } from '../command.ts';
import { tell } from '../output.ts';
import { Problem } from '../problem.ts';
import { withProfile } from '../profile-option.ts';
import { headerOf, orProblem, summarize } from '../program-result.ts';
import { outputPath } from '../trace-output.ts';
import { VERSION } from '../version.ts';

/** `hvrewind emulate`: runs a program against an emulated /dev/mshv and records it; exits with its status. */
export async function run(args: Arguments): Promise<number> {
  if (args.program.length === 0) throw new Problem('emulate: no program; usage: hvrewind emulate -- CMD…');
  const path = outputPath('emulate', args, '.hvtrace', args.program[0] ?? '');
  const header = withProfile(headerOf({}), args.value('profile'));
  const options = {
    path,
    header,
    force: args.flag('force'),
    command: args.program,
    tool: VERSION,
    engine: ENGINE_VERSION,
    kept: captureOptions('emulate', args, header.profile),
    tell: (line: string) => tell(`hvrewind: ${line}`),
  };
  const result = orProblem('emulate', await emulate(options));
  const { events, dropped, hash, status, failure, lacking } = result;
  const left = dropped === undefined ? '' : `, ${dropped} not kept`;
  const lost = failure === undefined ? '' : `; ${failure}`;
  const lacked = Object.entries(lacking ?? {}).map(([what, times]) => `; ${what} (${times} times)`);
  summarize(
    args,
    path,
    result,
    `${events} events${left}, hash ${hash}; the program exited with ${status}${lacked.join('')}${lost}`,
  );
  return status;
}
