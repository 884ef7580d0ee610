import { explain } from '../../../engine/abi/explain.ts';
import type { Arguments } from '../command.ts';
import { print, printJson, table } from '../output.ts';
import { EXIT, Problem } from '../problem.ts';
import { readingOf } from '../readings.ts';

/** `hvrewind explain`: every reading that fits a number or name. */
export async function run(args: Arguments): Promise<number> {
  const value = args.operands[0] ?? '';
  const readings = explain(value).map(readingOf);
  if (readings.length === 0) {
    throw new Problem(
      `explain: nothing is called ${JSON.stringify(value)}; give a number (0x40000083) or a name (HV_STATUS_ACCESS_DENIED)`,
    );
  }
  if (args.flag('json')) {
    await printJson({ value, readings });
    return EXIT.fine;
  }
  for (const { as, title, facts } of readings) {
    const rows = facts.map((fact) => [fact.name, fact.value]);
    await print(`${as}: ${title}\n${table(rows, '  ')}`);
  }
  return EXIT.fine;
}
