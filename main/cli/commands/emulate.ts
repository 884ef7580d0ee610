import { writeFileSync } from 'node:fs';
import type { TraceHeader } from '../../../engine/trace/profile.ts';
import { parseProfile } from '../../../engine/trace/profile-read.ts';
import { ENGINE_VERSION } from '../../../engine/version.ts';
import { emulate } from '../../../tracer/emulate/emulate.ts';
import { captureFilter } from '../capture-option.ts';
import type { Arguments } from '../command.ts';
import { tell } from '../output.ts';
import { EXIT, Problem } from '../problem.ts';
import { withProfile } from '../profile-option.ts';
import { outputPath } from '../trace-output.ts';
import { VERSION } from '../version.ts';

/** `hvrewind emulate`: runs a program against an emulated /dev/mshv and records it; exits with its status. */
export async function run(args: Arguments): Promise<number> {
  if (args.program.length === 0) throw new Problem('emulate: no program; usage: hvrewind emulate -- CMD…');
  const path = outputPath('emulate', args, '.hvtrace', args.program[0] ?? '');
  const header = withProfile(defaults(), args.value('profile'));
  const result = await emulate({
    path,
    header,
    force: args.flag('force'),
    command: args.program,
    tool: VERSION,
    engine: ENGINE_VERSION,
    ...captureFilter('emulate', args, header.profile),
  });
  if ('text' in result)
    throw new Problem(`emulate: ${result.text}`, result.environment ? EXIT.environment : EXIT.usage);
  const summary = args.value('summary');
  if (summary !== undefined)
    writeFileSync(summary, `${JSON.stringify({ file: path, ...result }, undefined, 2)}\n`);
  if (!args.flag('quiet')) {
    const { events, dropped, hash, status, failure } = result;
    const left = dropped === undefined ? '' : `, ${dropped} not matched`;
    const lost = failure === undefined ? '' : `; ${failure}`;
    tell(`${path}: ${events} events${left}, hash ${hash}; the program exited with ${status}${lost}`);
  }
  return result.status;
}

/** A machine with everything at its default. */
function defaults(): TraceHeader {
  const read = parseProfile({});
  if ('problem' in read) throw new Error(`the default profile: ${read.problem.message}`);
  return { profile: read.profile, given: {} };
}
