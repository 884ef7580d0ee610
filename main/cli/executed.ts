import type { EventSource } from '../../engine/replay/source.ts';
import type { Found } from '../../tracer/re-execute/differences.ts';
import { execute } from '../../tracer/re-execute/execute.ts';
import { table } from './output.ts';
import { progressLine } from './progress.ts';
import { SIDES } from './sides.ts';

/** What `replay --execute` found, as `--json` prints it. */
export interface ExecutedJson {
  readonly vps: number;
  readonly instructions: number;
  readonly compared: number;
  readonly bytes: number;
  readonly difference: DifferenceJson | null;
  readonly instructionsPerSecond: number;
}

interface DifferenceJson {
  readonly at: string;
  readonly vp: string;
  readonly instructions: number;
  readonly rip: string;
  readonly what: Found['what'];
  readonly gpa?: string;
  readonly offset?: number;
  readonly register?: string;
  readonly expected: string | null;
  readonly found: string | null;
}

/** Executes the guests of a trace again. */
export function executeTrace(source: EventSource): ExecutedJson {
  const progress = progressLine('execute', source.count);
  const started = process.hrtime.bigint();
  const { difference, ...counts } = execute(source, SIDES, progress.report);
  const seconds = Number(process.hrtime.bigint() - started) / 1e9;
  progress.done();
  const instructionsPerSecond = Math.round(counts.instructions / Math.max(seconds, 1e-9));
  if (difference === undefined) return { ...counts, difference: null, instructionsPerSecond };
  const { at, vp, instructions, rip, found } = difference;
  const where = { at: String(at), vp: `${vp.partition}.${vp.vp}`, instructions, rip: hex(rip) };
  return { ...counts, difference: { ...where, ...foundJson(found) }, instructionsPerSecond };
}

const hex = (value: number | bigint): string => `0x${value.toString(16)}`;
const orNull = (value: number | bigint | undefined): string | null =>
  value === undefined ? null : hex(value);

function foundJson(
  found: Found,
): Pick<DifferenceJson, 'what' | 'expected' | 'found'> & Partial<DifferenceJson> {
  if (found.what === 'stop') return found;
  const values = { expected: orNull(found.expected), found: orNull(found.found) };
  switch (found.what) {
    case 'memory':
      return { what: found.what, gpa: hex(found.gpa), ...values };
    case 'register':
      return { what: found.what, register: found.register, ...values };
    default:
      return { what: found.what, offset: found.offset, ...values };
  }
}

/** The same for people to read. */
export function executedText(executed: ExecutedJson): string {
  const { vps, instructions, compared, bytes, difference, instructionsPerSecond } = executed;
  const rows = [
    ['executed', `${instructions} instructions of ${vps} VPs, ${instructionsPerSecond} a second`],
    ['compared', `${compared} exits and calls, ${bytes} bytes that guests wrote`],
    ['difference', difference === null ? 'none' : `at ${difference.at}`],
  ];
  if (difference === null) return table(rows);
  const { vp, rip, what, gpa, offset, register } = difference;
  const places: Readonly<Record<Found['what'], string>> = {
    memory: `memory ${gpa}`,
    message: `byte ${offset} of the message`,
    input: `byte ${offset} of the input`,
    register: `${register}`,
    stop: 'what it came to',
  };
  return table([
    ...rows,
    ['  VP', `${vp}, after ${difference.instructions} instructions, at ${rip}`],
    [
      `  ${places[what]}`,
      `recorded ${difference.expected ?? 'nothing'}, now ${difference.found ?? 'nothing'}`,
    ],
  ]);
}
