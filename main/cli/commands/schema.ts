import { EVENT_TEXT_SCHEMA } from '../../../engine/trace/schema/index.ts';
import { printJson } from '../output.ts';
import { OUTPUT_SCHEMAS } from '../output-schemas.ts';
import { EXIT } from '../problem.ts';

/** `hvrewind schema`: JSON Schemas of the event text and of every `--json` output. */
export async function run(): Promise<number> {
  await printJson({ eventText: EVENT_TEXT_SCHEMA, outputs: OUTPUT_SCHEMAS });
  return EXIT.fine;
}
