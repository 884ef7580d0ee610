import {
  type ControlWord,
  decodeControl,
  encodeResult,
  type HypercallRow,
  hypercalls,
} from '../../../engine/abi/index.ts';
import { inputBytes, outputBytes } from '../../../engine/hypervisor/index.ts';
import { registerIndex } from '../vp/registers.ts';
import type { PartitionMemory } from './partition-memory.ts';

const PAGE_BYTES = 4096n;
const ALIGNMENT = 8n;
const WORD_BYTES = 8;
const U32 = 0xffff_ffffn;
/** L of hv_x64_segment_register's attributes (bit 13 of the upper 16): 64-bit code. */
const LONG_MODE = 1n << 125n;

const place = Object.fromEntries(
  ['RAX', 'RBX', 'RCX', 'RDX', 'RSI', 'RDI', 'R8', 'CS'].map((name) => [name, registerIndex(name)]),
) as Readonly<Record<'RAX' | 'RBX' | 'RCX' | 'RDX' | 'RSI' | 'RDI' | 'R8' | 'CS', number>>;

/** A hypercall as the guest's registers have it. */
export interface CallWords {
  readonly control: bigint;
  /** Of a fast call the input itself, in two words; else addresses. */
  readonly input: bigint;
  readonly output: bigint;
}

/**
 * The calling convention (TLFS, hypercall interface): 64-bit code has RCX, RDX, R8; 32-bit code pairs of registers,
 * EDX:EAX, EBX:ECX, EDI:ESI.
 */
export function callWords(register: (place: number) => bigint): CallWords {
  if ((register(place.CS) & LONG_MODE) !== 0n)
    return { control: register(place.RCX), input: register(place.RDX), output: register(place.R8) };
  const pair = (high: number, low: number) => ((register(high) & U32) << 32n) | (register(low) & U32);
  return {
    control: pair(place.RDX, place.RAX),
    input: pair(place.RBX, place.RCX),
    output: pair(place.RDI, place.RSI),
  };
}

/** A block of guest memory that a call names; undefined where the hypervisor refuses the pointer without a look. */
function block(gpa: bigint, bytes: number): Block | undefined {
  const fits = gpa % ALIGNMENT === 0n && (gpa % PAGE_BYTES) + BigInt(bytes) <= PAGE_BYTES;
  return bytes > 0 && fits ? { gpa, bytes } : undefined;
}
interface Block {
  readonly gpa: bigint;
  readonly bytes: number;
}

/** What of an event the guest's registers and memory say. */
export interface GuestCall {
  readonly control: bigint;
  readonly input?: Uint8Array;
  readonly inputGpa?: bigint;
  readonly outputGpa?: bigint;
}

/** Memory that a call needs and the guest does not have: the VP stops there as for any other access (TLFS). */
export interface Inaccessible {
  readonly gpa: bigint;
  readonly access: 'read' | 'write';
}

type Memory = Pick<PartitionMemory, 'allows' | 'read'>;

/** Reads a call's input where the guest has put it. */
export function readGuestCall(memory: Memory, words: CallWords): GuestCall | Inaccessible {
  const control = decodeControl(words.control);
  const row = hypercalls.find(control.code);
  if (row === undefined) return { control: words.control };
  return control.fast ? fastCall(words, control) : slowCall(memory, words, control, row);
}

function fastCall(words: CallWords, control: ControlWord): GuestCall {
  const bytes = new Uint8Array(2 * WORD_BYTES);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, words.input, true);
  view.setBigUint64(WORD_BYTES, words.output, true);
  return { control: words.control, input: bytes.slice(0, inputBytes(control)) };
}

function slowCall(
  memory: Memory,
  words: CallWords,
  control: ControlWord,
  row: HypercallRow,
): GuestCall | Inaccessible {
  const call = {
    control: words.control,
    ...(row.input === undefined ? {} : { inputGpa: words.input }),
    ...(row.output === undefined ? {} : { outputGpa: words.output }),
  };
  const input = block(words.input, inputBytes(control));
  const output = block(words.output, outputBytes(control));
  if (output !== undefined && !memory.allows(output.gpa, 'write'))
    return { gpa: output.gpa, access: 'write' };
  if (input === undefined) return call;
  const bytes = memory.read(input.gpa, input.bytes);
  return bytes === undefined ? { gpa: input.gpa, access: 'read' } : { ...call, input: bytes };
}

/** The result word, as the guest's RAX or EDX:EAX gets it. */
export function resultWord(result: { readonly status: number; readonly reps: number } | undefined): bigint {
  return result === undefined ? 0n : encodeResult({ status: result.status, repsCompleted: result.reps });
}
