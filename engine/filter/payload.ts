import { decodeLayout } from '../abi/codec/decode.ts';
import type { DecodedField, DecodedStruct } from '../abi/codec/decoded.ts';
import { decodeHypercallInput, decodeHypercallOutput } from '../abi/codec/hypercall.ts';
import { decodeIoctlArg, decodeIoctlIn, decodeIoctlOut } from '../abi/codec/ioctl.ts';
import { decodeMessage, decodePayload } from '../abi/codec/message.ts';
import { namesThenValuesToObject, registersFromObject } from '../abi/codec/register-lists.ts';
import { decodeMsr, findIoctl, type IoctlRow, structOf } from '../abi/index.ts';
import type { Dialect, IoctlEvent, MsrEvent, TraceEvent } from '../trace/event.ts';
import { formatHandle } from '../trace/handle.ts';
import { namedNumber, valuesAt } from './payload-value.ts';
import type { PayloadRoot, PayloadStep } from './table.ts';
import type { FieldValue } from './value.ts';

/** Reads what stands at a path; empty where it leads nowhere. */
type Source = (path: readonly PayloadStep[]) => FieldValue[];

/** What an event has under each root. */
type Sources = (event: TraceEvent) => readonly Source[];

/**
 * Reads members of decoded payloads. `dialect` is that of ioctls that name none. The last event is kept decoded,
 * because filters tend to ask one event for several members.
 */
export function payloadReader(
  dialect: Dialect,
): (root: PayloadRoot, path: readonly PayloadStep[]) => (event: TraceEvent) => FieldValue | undefined {
  const roots = sourcesByRoot(dialect);
  const kept = new Map<PayloadRoot, { readonly event: TraceEvent; readonly sources: readonly Source[] }>();
  return (root, path) => (event) => {
    let entry = kept.get(root);
    if (entry?.event !== event) {
      entry = { event, sources: roots[root](event) };
      kept.set(root, entry);
    }
    const values = entry.sources.flatMap((source) => source(path));
    return values.length > 1 ? values : values[0];
  };
}

function sourcesByRoot(dialect: Dialect): Readonly<Record<PayloadRoot, Sources>> {
  const rowOf = (event: IoctlEvent): IoctlRow | undefined => {
    const { kind } = event.handle;
    if (kind === 'eventfd' || kind === 'foreign') return undefined;
    return findIoctl(event.dialect ?? dialect, kind, event.op);
  };
  return {
    arg(event) {
      const row = event.kind === 'ioctl' ? rowOf(event) : undefined;
      if (event.kind !== 'ioctl' || row === undefined || event.arg === undefined) return [];
      return members(decodeIoctlArg(row, event.arg));
    },
    in(event) {
      if (event.kind === 'msr') return event.dir === 'write' ? msrMembers(event) : [];
      const row = event.kind === 'ioctl' ? rowOf(event) : undefined;
      return event.kind === 'ioctl' && row !== undefined ? inputOf(event, row) : [];
    },
    out(event) {
      if (event.kind === 'msr') return event.dir === 'read' ? msrMembers(event) : [];
      return event.kind === 'ioctl' ? outputOf(event, rowOf(event)) : [];
    },
    input(event) {
      if (event.kind !== 'hypercall' || event.input === undefined) return [];
      return members(decodeHypercallInput(event.control, event.input));
    },
    output(event) {
      if (event.kind !== 'hypercall' || event.output === undefined) return [];
      return members(decodeHypercallOutput(event.control, event.input, event.output));
    },
    payload(event) {
      switch (event.kind) {
        case 'intercept':
          return event.payload === undefined ? [] : members(decodePayload(event.type, event.payload));
        case 'message':
          return event.slot === undefined ? [] : [below('payload', decodeMessage(event.slot))];
        case 'hypercall': {
          const { control, input } = event;
          const posted = input === undefined ? undefined : decodeHypercallInput(control, input);
          return posted?.layout.form === 'posted' ? [below('payload', posted)] : [];
        }
        case 'ioctl': {
          const message = rowOf(event)?.out === 'message' ? event.out?.data : undefined;
          return message === undefined ? [] : [below('payload', decodeMessage(message))];
        }
        default:
          return [];
      }
    },
  };
}

function members(struct: DecodedStruct | undefined): readonly Source[] {
  return struct === undefined ? [] : [(path) => valuesAt(struct, path)];
}

/** The members of a member. */
function below(member: string, struct: DecodedStruct): Source {
  return (path) => valuesAt(struct, [member, ...path]);
}

/** What stands under a name of its own. */
function named(member: string, read: Source): Source {
  return ([step, ...rest]) => (step === member ? read(rest) : []);
}

/** A value and its bit fields, of an access whose value is known. */
function msrMembers({ msr, value }: MsrEvent): readonly Source[] {
  if (value === undefined) return [];
  const leaf = (name: string, what: FieldValue): Source =>
    named(name, (path) => (path.length === 0 ? [what] : []));
  const bits = decodeMsr(msr, value).map((bit) => leaf(bit.name, namedNumber(bit.value, bit.display)));
  return [leaf('value', value), ...bits];
}

const REGISTERS = 'mshv_register_elements';

function inputOf(event: IoctlEvent, row: IoctlRow): readonly Source[] {
  if (event.in === undefined) return [];
  if (row.in === 'names+values') return registerMembers(joinedRegisters(event.in));
  return registerMembers(decodeIoctlIn(row, { arg: event.arg, in: event.in }));
}

/** The two lists of the RFC's MSHV_SET_VP_REGISTERS as one. */
function joinedRegisters(bytes: Uint8Array): DecodedStruct | undefined {
  const joined = registersFromObject(namesThenValuesToObject(bytes), undefined);
  return joined.ok ? decodeLayout(structOf(REGISTERS), joined.bytes) : undefined;
}

/** Lists of registers are read by element, and (as the event text writes them) as `names` or `values` alone. */
function registerMembers(struct: DecodedStruct | undefined): readonly Source[] {
  if (struct?.layout.name !== REGISTERS) return members(struct);
  const only = (list: string, member: string): Source =>
    named(list, (path) => {
      const [first, ...rest] = path;
      const isPlace = typeof first === 'number' || first === '*';
      return valuesAt(struct, ['elements', ...(isPlace ? [first, member, ...rest] : [member, ...path])]);
    });
  return [...members(struct), only('names', 'name'), only('values', 'value')];
}

/** What a call gave back: the handle, the fields that it wrote back, and the buffer behind its pointer. */
function outputOf(event: IoctlEvent, row: IoctlRow | undefined): readonly Source[] {
  const { out } = event;
  const sources: Source[] = [];
  const handle = out?.handle;
  if (handle !== undefined) {
    sources.push(named('handle', (path) => (path.length === 0 ? [formatHandle(handle)] : [])));
  }
  if (row === undefined) return sources;
  const after = out?.arg === undefined ? undefined : decodeIoctlArg(row, out.arg);
  if (after !== undefined) {
    const written = (field: DecodedField): boolean => row.writesBack.includes(field.name);
    sources.push(named('arg', (path) => valuesAt(after, path)));
    sources.push(...members({ ...after, fields: after.fields.filter(written) }));
  }
  if (out?.data === undefined) return sources;
  const data = decodeIoctlOut(row, { arg: event.arg, in: event.in }, out.data);
  if (row.out === 'message' && data !== undefined) {
    // The event text calls the type of what RUN_VP returned `type`.
    sources.push(named('type', (path) => valuesAt(data, ['message_type', ...path])));
  }
  return [...sources, ...registerMembers(data)];
}
