import {
  type ControlWord,
  decodeControl,
  encodeControl,
  hypercallInputFromObject,
  hypercallInputToObject,
  hypercallOutputFromObject,
  hypercallOutputToObject,
  hypercalls,
} from '../../abi/index.ts';
import type { HypercallEvent, HypercallResult } from '../event.ts';
import { bytesOf, refusalOf } from './abi-object.ts';
import { CALL_CODE, type Codec, decimal, FLAG, STATUS, TIME, U64 } from './codec.ts';
import { FAULT_KEYS, readFault, writeFault } from './fault.ts';
import type { Json, JsonObject } from './json.ts';
import type { Draft, ExtraKeys, KindText } from './kind.ts';
import { objectOf } from './refusal.ts';
import { missing, type Row, readKey, readRows, refuseUnknownKey, rowsOf, writeRows } from './row.ts';

/** The 12-bit fields of the control and result words (TLFS, hypercall inputs and outputs). */
const REPS = decimal(0, 0xfff);

const resultRows = rowsOf<HypercallResult>();
const RESULT_ROWS: readonly Row[] = [
  resultRows.defaulted('status', STATUS, 0),
  resultRows.defaulted('reps', REPS, 0),
];

const RESULT: Codec<HypercallResult> = {
  read(json) {
    const object = objectOf(json);
    const target: Record<string, unknown> = {};
    readRows(RESULT_ROWS, object, target);
    refuseUnknownKey(
      object,
      RESULT_ROWS.map((row) => row.key),
    );
    return target as unknown as HypercallResult;
  },
  write(value) {
    const reps = value.reps === 0 ? '' : `,"reps":${value.reps}`;
    return `{"status":${STATUS.write(value.status)}${reps}}`;
  },
  schema: {
    type: 'object',
    properties: { status: STATUS.schema, reps: REPS.schema },
    additionalProperties: false,
  },
};

/** Parts of the control word that a line may give instead of the word itself. */
interface Parts {
  readonly code: number;
  readonly reps: number;
  readonly start: number;
  readonly fast: boolean;
  readonly nested: boolean;
}

const partRows = rowsOf<Parts>();
const PART_ROWS: readonly Row[] = [
  partRows.optional('code', CALL_CODE),
  partRows.optional('reps', REPS),
  partRows.optional('start', REPS),
  partRows.optional('fast', FLAG),
  partRows.optional('nested', FLAG),
];

/** An input as it was read, and what it says of the control word. */
interface Input {
  readonly bytes: Uint8Array;
  readonly variableHeaderQwords: number;
  readonly elements: number;
}

function readInput(code: number, json: Json): Input {
  const read = hypercallInputFromObject(code, json);
  if (!read.ok) throw refusalOf(read.error);
  return { ...read, elements: read.elements ?? 0 };
}

/**
 * The control word of these parts. What the input says by itself need not be given: the rep count of a call with
 * a list, and the size of the variable header.
 */
function controlOf(parts: Partial<Parts>, code: number, input: Input | undefined): bigint {
  const listed = hypercalls.find(code)?.shape === 'rep' ? (input?.elements ?? 0) : 0;
  return encodeControl({
    code: code as ControlWord['code'],
    repCount: parts.reps ?? listed,
    repStart: parts.start ?? 0,
    fast: parts.fast ?? false,
    nested: parts.nested ?? false,
    variableHeaderQwords: input?.variableHeaderQwords ?? 0,
  });
}

/** The parts as they are written: `control` itself only where a reader could not build it from the others. */
function writeControl(control: bigint, input: Json | undefined): string {
  const word = decodeControl(control);
  const row = hypercalls.find(word.code);
  const parts = {
    code: word.code,
    ...(word.repCount !== 0 || row?.shape === 'rep' ? { reps: word.repCount } : {}),
    ...(word.repStart !== 0 ? { start: word.repStart } : {}),
    ...(word.fast ? { fast: true } : {}),
    ...(word.nested ? { nested: true } : {}),
  };
  const read = row?.variableHeader === true && input !== undefined ? readInput(word.code, input) : undefined;
  const whole = controlOf(parts, word.code, read) === control ? '' : `,"control":${U64.write(control)}`;
  return writeRows(PART_ROWS, parts) + whole;
}

const CONTROL: ExtraKeys = {
  keys: {
    ...Object.fromEntries(PART_ROWS.map((row) => [row.key, row.codec.schema])),
    control: U64.schema,
    input: { type: ['object', 'string'] },
    output: { type: ['object', 'string'] },
    ...FAULT_KEYS,
  },
  read(object: JsonObject, draft: Draft): void {
    const parts: Partial<Parts> = {};
    readRows(PART_ROWS, object, parts as Draft);
    const given = readKey(object, 'control', (json) => U64.read(json));
    const code = given === undefined ? parts.code : decodeControl(given).code;
    if (code === undefined) throw missing('code');
    const input = readKey(object, 'input', (json) => readInput(code, json));
    const output = readKey(object, 'output', (json) => bytesOf(hypercallOutputFromObject(code, json)));
    draft.control = given ?? controlOf(parts, code, input);
    if (input !== undefined) draft.input = input.bytes;
    if (output !== undefined) draft.output = output;
    readFault(object, draft);
  },
  write(event: Readonly<Draft>): string {
    const { control, input, output } = event as unknown as HypercallEvent;
    const given = input === undefined ? undefined : hypercallInputToObject(control, input);
    const answered = output === undefined ? undefined : hypercallOutputToObject(control, input, output);
    return [
      writeControl(control, given),
      given === undefined ? '' : `,"input":${JSON.stringify(given)}`,
      answered === undefined ? '' : `,"output":${JSON.stringify(answered)}`,
      writeFault(event),
    ].join('');
  },
};

const hypercall = rowsOf<HypercallEvent>();
export const HYPERCALL_TEXT: KindText = {
  kind: 'hypercall',
  lead: [],
  rows: [],
  extra: CONTROL,
  tail: [
    hypercall.optional('inputGpa', U64),
    hypercall.optional('outputGpa', U64),
    hypercall.optional('result', RESULT),
    hypercall.optional('tEnd', TIME),
  ],
};
