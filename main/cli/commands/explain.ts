import { explain } from '../../../engine/abi/explain.ts';
import type { Arguments } from '../command.ts';
import { print, printJson, table } from '../output.ts';
import { EXIT, Problem } from '../problem.ts';

/** `hvrewind explain`: every reading that fits a number or name. */
export async function run(args: Arguments): Promise<number> {
  const text = args.operands[0] ?? '';
  const readings = explain(text);
  if (readings.length === 0) {
    throw new Problem(
      `explain: nothing is called ${JSON.stringify(text)}; give a number (0x40000083) or a name (HV_STATUS_ACCESS_DENIED)`,
    );
  }
  if (args.flag('json')) {
    await printJson({ value: text, readings });
    return EXIT.fine;
  }
  for (const reading of readings) {
    await print(`${reading.as}: ${reading.title}\n`);
    await print(
      table(
        reading.facts.map(({ name, value }) => [name, value]),
        '  ',
      ),
    );
  }
  return EXIT.fine;
}
