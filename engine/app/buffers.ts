import { decodeBits } from '../abi/codec/bits.ts';
import type { DecodedStruct } from '../abi/codec/decoded.ts';
import { decodeHypercallInput, decodeHypercallOutput } from '../abi/codec/hypercall.ts';
import { integerToJson } from '../abi/codec/integer-text.ts';
import { decodeIoctlArg, decodeIoctlIn, decodeIoctlOut } from '../abi/codec/ioctl.ts';
import { decodeMessage, decodePayload } from '../abi/codec/message.ts';
import { msrs } from '../abi/index.ts';
import { hexOf, hexOfBytes } from '../abi/text.ts';
import { ioctlRowOf } from '../trace/dialect.ts';
import type { MsrEvent, TraceEvent } from '../trace/event.ts';
import type { Profile } from '../trace/profile.ts';
import type { BufferView, FieldView } from './api.ts';
import { fieldViews } from './fields.ts';

/** Every buffer of an event: its bytes, and the fields that stand in them. */
export function buffersOf(event: TraceEvent, profile: Profile): BufferView[] {
  switch (event.kind) {
    case 'msr':
      return event.value === undefined ? [] : [msrView(event, event.value)];
    case 'hypercall': {
      const { control, input, output } = event;
      return [
        ...view('input', input, input && decodeHypercallInput(control, input)),
        ...view('output', output, output && decodeHypercallOutput(control, input, output)),
      ];
    }
    case 'ioctl': {
      const row = ioctlRowOf(event, profile);
      const { arg, in: input } = event;
      const back = event.out?.arg;
      const data = event.out?.data;
      const buffers = { arg, in: input };
      return [
        ...view('arg', arg, row && arg && decodeIoctlArg(row, arg)),
        ...view('in', input, row && input && decodeIoctlIn(row, buffers)),
        ...view('out.arg', back, row && back && decodeIoctlArg(row, back)),
        ...view('out.data', data, row && data && decodeIoctlOut(row, buffers, data)),
      ];
    }
    case 'message':
      return view('slot', event.slot, event.slot && decodeMessage(event.slot));
    case 'intercept':
      return view('payload', event.payload, event.payload && decodePayload(event.type, event.payload));
    case 'page':
      return (event.bytes ?? []).flatMap(({ offset, bytes }) => view(hexOf(offset), bytes, undefined));
    default:
      return [];
  }
}

function view(name: string, bytes: Uint8Array | undefined, decoded: DecodedStruct | undefined): BufferView[] {
  if (bytes === undefined) return [];
  return [
    {
      name,
      layout: decoded?.layout.name ?? 'bytes',
      hex: hexOfBytes(bytes),
      fields: decoded === undefined ? [] : fieldViews(decoded),
    },
  ];
}

const MSR_BYTES = 8;

function msrView(event: MsrEvent, value: bigint): BufferView {
  const bytes = new Uint8Array(MSR_BYTES);
  new DataView(bytes.buffer).setBigUint64(0, value, true);
  const bits = msrs.find(event.msr)?.bits ?? [];
  const fields = decodeBits(bits, value).map((bit): FieldView => {
    const meaning = String(integerToJson(bit.value, bit.display));
    const text = hexOf(bit.value);
    return {
      path: bit.name,
      value: text,
      ...(meaning === text ? {} : { meaning }),
      offset: 0,
      size: MSR_BYTES,
      lsb: bit.lsb,
      width: bit.width,
      depth: 0,
    };
  });
  return { name: 'value', layout: msrs.name(event.msr), hex: hexOfBytes(bytes), fields };
}
