import { abiNames, isProblem, type Recovery, recoverTrace } from '../../../tracer/store/index.ts';
import type { Arguments } from '../command.ts';
import { printJson, tell } from '../output.ts';
import { EXIT, Problem } from '../problem.ts';
import { progressLine } from '../progress.ts';
import { kindOf } from '../trace.ts';
import { outputPath } from '../trace-output.ts';

const PERCENT = 100;

/** `hvrewind recover`: what a torn trace still holds, as a trace. */
export async function run(args: Arguments): Promise<number> {
  const input = args.operands[0] ?? '';
  const path = outputPath('recover', args, '.hvtrace', input);
  const progress = progressLine('recover', PERCENT);
  const recovered = recoverTrace(input, path, {
    force: args.flag('force'),
    names: abiNames,
    registry: kindOf,
    progress: (done) => progress.report(Math.floor(done * PERCENT)),
  });
  progress.done();
  if (isProblem(recovered)) throw new Problem(`recover: ${recovered.text}`);
  const { saved, incomplete, headerLost } = recovered;
  const missing = recovered.missing.map(rangeText);
  if (args.flag('json')) {
    await printJson({ file: path, events: saved, incomplete, profileLost: headerLost, missing });
    return EXIT.fine;
  }
  const losses = [
    ...(missing.length === 0 ? [] : [`missing: ${missing.join(' ')}`]),
    ...(incomplete === 0 ? [] : [`${incomplete} incomplete (their notes say what is lost)`]),
    ...(headerLost ? ['the profile is lost'] : []),
  ];
  tell(`${path}: ${saved} events; ${losses.length === 0 ? 'nothing is missing' : losses.join('; ')}`);
  return EXIT.fine;
}

/** Numbers in the torn file: `12`, `12..20`, and `21..` where nobody knows how far it went. */
function rangeText({ from, to }: Recovery['missing'][number]): string {
  if (to === undefined) return `${from}..`;
  return from === to ? String(from) : `${from}..${to}`;
}
