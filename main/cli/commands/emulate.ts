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

/** What an instruction takes where nothing else is said: the time stamp counter then counts nanoseconds. */
const INSTRUCTION_TIME = 'instructionNs=1';

/** `hvrewind emulate`: runs a program against an emulated /dev/mshv and records it; exits with its status. */
export async function run(args: Arguments): Promise<number> {
  if (args.program.length === 0) throw new Problem('emulate: no program; usage: hvrewind emulate -- CMD…');
  const path = outputPath('emulate', args, '.hvtrace', args.program[0] ?? '');
  const given = withProfile(headerOf({}), args.value('profile'));
  const captures = args.flag('capture-memory');
  if (!captures && given.profile.instructionNs !== 0)
    throw new Problem('emulate: instructionNs is of recordings with --capture-memory');
  const header = captures && given.profile.instructionNs === 0 ? withProfile(given, INSTRUCTION_TIME) : given;
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
  const { filter, ring } = options.kept;
  if (captures && (filter !== undefined || ring !== undefined))
    throw new Problem('emulate: --capture-memory keeps what execution needs; leave out --filter and --ring');
  const result = orProblem('emulate', await emulate(options));
  const { events, dropped, hash, status, failure, lacking, memory } = result;
  const left = dropped === undefined ? '' : `, ${dropped} not kept`;
  const lost = failure === undefined ? '' : `; ${failure}`;
  const lacked = Object.entries(lacking ?? {}).map(([what, times]) => `; ${what} (${times} times)`);
  const holds = memory === undefined ? '' : `; it holds guest memory${meanwhile(memory.writtenWhileRunning)}`;
  summarize(
    args,
    path,
    result,
    `${events} events${left}, hash ${hash}; the program exited with ${status}${holds}${lacked.join('')}${lost}`,
  );
  return status;
}

/** What a program wrote to memory of its guest while the guest ran. */
function meanwhile(pages: number): string {
  return pages === 0 ? '' : ` (the program changed ${pages} pages of it while a VP ran: the notes say where)`;
}
