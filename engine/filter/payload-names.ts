import { namesOf } from '../abi/codec/integer-text.ts';
import {
  allIoctls,
  channelMessages,
  type Display,
  type FieldType,
  hypercalls,
  messageTypes,
  msrs,
  type StructLayout,
  structNames,
  structOf,
} from '../abi/index.ts';
import type { PayloadNames, PayloadRoot, PayloadStep } from './table.ts';

/** Members that are no struct's: names that the event text gives to what it puts together. */
const OWN_MEMBERS: Readonly<Record<PayloadRoot, readonly string[]>> = {
  arg: [],
  in: ['elements', 'names', 'values', 'value'],
  out: ['handle', 'type', 'payload', 'arg', 'elements', 'names', 'values', 'value'],
  input: [],
  output: [],
  payload: [],
};

/** The names of members below a root, each with the displays that it has. */
type Members = ReadonlyMap<string, ReadonlySet<Display>>;

/** What the ABI tables know of payloads, collected for each root on first use. */
export function abiPayloadNames(): PayloadNames {
  const kept = new Map<PayloadRoot, Members>();
  const membersOf = (root: PayloadRoot): Members => {
    const known = kept.get(root) ?? collect(root);
    kept.set(root, known);
    return known;
  };
  return {
    members: (root) => Array.from(membersOf(root).keys()),
    values(root, path) {
      const displays = membersOf(root).get(lastMember(path)) ?? [];
      return Array.from(new Set(Array.from(displays).flatMap(namesIn)));
    },
  };
}

function lastMember(path: readonly PayloadStep[]): string {
  const member = path.findLast((step) => typeof step === 'string' && step !== '*');
  if (member === 'names') return 'name';
  return member === 'type' ? 'message_type' : String(member ?? '');
}

function namesIn(display: Display): readonly string[] {
  const names = namesOf(display);
  if (names === undefined) return [];
  return 'kind' in names ? names.rows.map((row) => row.name) : names.all().map((row) => row.name);
}

function collect(root: PayloadRoot): Members {
  const members = new Map<string, Set<Display>>();
  const add = (name: string, display: Display): void => {
    const displays = members.get(name);
    if (displays === undefined) members.set(name, new Set([display]));
    else displays.add(display);
  };
  for (const name of OWN_MEMBERS[root]) add(name, 'dec');
  const seen = new Set<StructLayout>();
  const pending = layoutsOf(root);
  for (let layout = pending.pop(); layout !== undefined; layout = pending.pop()) {
    if (seen.has(layout)) continue;
    seen.add(layout);
    for (const field of layout.fields) {
      if (field.alternative) continue;
      if (field.name !== '') add(field.name, field.display);
      for (const bit of field.bits) if (!bit.alternative) add(bit.name, bit.display);
      const inner = layoutIn(field.type);
      if (inner !== undefined) pending.push(inner);
    }
  }
  if (root === 'in' || root === 'out') {
    for (const row of msrs.all()) for (const bit of row.bits) add(bit.name, bit.display);
  }
  return members;
}

function layoutIn(type: FieldType): StructLayout | undefined {
  switch (type.kind) {
    case 'struct':
      return structOf(type.name);
    case 'inline':
      return type.layout;
    case 'array':
      return layoutIn(type.element);
    case 'integer':
      return undefined;
  }
}

/** The structs that may stand under a root. Buffers of ioctls hold almost any of them. */
function layoutsOf(root: PayloadRoot): StructLayout[] {
  const names = (): readonly (string | undefined)[] => {
    switch (root) {
      case 'arg':
        return [...allIoctls().map((row) => row.argument), 'mshv_create_partition_v2'];
      case 'input':
        return hypercalls.all().map((row) => row.input);
      case 'output':
        return hypercalls.all().map((row) => row.output);
      case 'payload':
        return [
          ...messageTypes.all().map((row) => row.payload),
          ...channelMessages.all().flatMap((row) => row.structs),
        ];
      default:
        return structNames();
    }
  };
  const layouts = names().flatMap((name) => (name === undefined ? [] : [structOf(name)]));
  // A call may carry a message (HVCALL_POST_MESSAGE_DIRECT), and a message any payload.
  if (root !== 'input') return layouts;
  return [...layouts, structOf('hv_message'), ...layoutsOf('payload')];
}
