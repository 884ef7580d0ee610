import { decodeHypercallInput, decodeHypercallOutput } from '../../abi/codec/hypercall.ts';
import { decodeIoctlArg, decodeIoctlIn, decodeIoctlOut } from '../../abi/codec/ioctl.ts';
import { decodeMessage, decodePayload } from '../../abi/codec/message.ts';
import { type DecodedStruct, lowHalf } from '../../abi/index.ts';
import { ioctlRowOf } from '../../trace/dialect.ts';
import type { TraceEvent } from '../../trace/event.ts';
import type { Profile } from '../../trace/profile.ts';
import { type Place, placesOf } from './places.ts';

/** A buffer of an event: where it stands in the event text, its bytes, and what they are. */
export interface Buffer {
  readonly name: 'input' | 'output' | 'arg' | 'in' | 'out.arg' | 'out' | 'slot' | 'payload';
  /** The call read it; else it is an answer. */
  readonly given: boolean;
  readonly bytes: Uint8Array | undefined;
}

/** The buffers that events of a kind may have, in the order in which differences are told. */
export function buffersOf(event: TraceEvent): readonly Buffer[] {
  switch (event.kind) {
    case 'hypercall':
      return [
        { name: 'input', given: true, bytes: event.input },
        { name: 'output', given: false, bytes: event.output },
      ];
    case 'ioctl':
      return [
        { name: 'arg', given: true, bytes: event.arg },
        { name: 'in', given: true, bytes: event.in },
        { name: 'out.arg', given: false, bytes: event.out?.arg },
        { name: 'out', given: false, bytes: event.out?.data },
      ];
    case 'message':
      return [{ name: 'slot', given: true, bytes: event.slot }];
    case 'intercept':
      return [{ name: 'payload', given: true, bytes: event.payload }];
    default:
      return [];
  }
}

/** The fields of a buffer; undefined where no layout is known. */
export function decoded(
  event: TraceEvent,
  { name, bytes }: Buffer,
  profile: Profile,
): DecodedStruct | undefined {
  if (bytes === undefined) return undefined;
  switch (event.kind) {
    case 'hypercall':
      return name === 'input'
        ? decodeHypercallInput(event.control, bytes)
        : decodeHypercallOutput(event.control, event.input, bytes);
    case 'ioctl': {
      const row = ioctlRowOf(event, profile);
      if (row === undefined) return undefined;
      const buffers = { arg: event.arg, in: event.in };
      if (name === 'arg' || name === 'out.arg') return decodeIoctlArg(row, bytes);
      return name === 'in' ? decodeIoctlIn(row, buffers) : decodeIoctlOut(row, buffers, bytes);
    }
    case 'message':
      return decodeMessage(bytes);
    case 'intercept':
      return decodePayload(event.type, bytes);
    default:
      return undefined;
  }
}

/** Where names stand, remembered for the buffers in which that does not depend on other fields. */
export class PlaceTable {
  readonly #profile: Profile;
  readonly #known = new Map<string, readonly Place[]>();

  constructor(profile: Profile) {
    this.#profile = profile;
  }

  placesOf(event: TraceEvent, buffer: Buffer): readonly Place[] {
    const key = `${sortOf(event)} ${buffer.name} ${buffer.bytes?.length}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const fields = decoded(event, buffer, this.#profile);
    if (fields === undefined) return [];
    const { places, stable } = placesOf(fields);
    if (stable) this.#known.set(key, places);
    return places;
  }
}

/** The variable header's size stands in the control word and moves the list behind it. */
const CODE_AND_HEADER = 0x7fe_ffff;
const MESSAGE_TYPE_BYTES = 4;

/** What decides on the layout of an event's buffers. */
function sortOf(event: TraceEvent): string {
  switch (event.kind) {
    case 'hypercall':
      return `h${lowHalf(event.control) & CODE_AND_HEADER}`;
    case 'ioctl':
      // Of a hypercall that is passed through the code comes first; of RUN_VP's answer the message type does.
      return `i${event.op} ${event.handle.kind} ${first(event.arg)} ${first(event.out?.data)}`;
    case 'message':
      return `m${first(event.slot)}`;
    case 'intercept':
      return `p${event.type}`;
    default:
      return event.kind;
  }
}

function first(bytes: Uint8Array | undefined): string {
  if (bytes === undefined || bytes.length < MESSAGE_TYPE_BYTES) return '';
  return `${bytes[0]},${bytes[1]},${bytes[2]},${bytes[3]}`;
}
