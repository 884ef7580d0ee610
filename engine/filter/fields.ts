import { type Dialect, EVENT_KINDS, PROVENANCES } from '../trace/event.ts';
import { formatHandle, parseHandle, parseVp } from '../trace/handle.ts';
import { CODE_NAMES, ERRNO_NAMES, MSR_NAMES, ofKind, opNames, STATUS_NAMES } from './names.ts';
import { abiPayloadNames } from './payload-names.ts';
import {
  type FieldNames,
  type FieldSpec,
  type FieldTable,
  nameTable,
  ordinalNames,
  type TextForm,
} from './table.ts';

/** What a filter over events may speak of besides the fixed fields. */
export interface FieldOptions {
  /** The profile's; ioctls of it are offered first. */
  readonly dialect: Dialect;
  /** Whether there is a replay: `changes( )` and `rule` need one. */
  readonly replayed: boolean;
  /** Components of the trace, to offer; any word is read. */
  readonly components: readonly string[];
  /** Ids of the rules. */
  readonly rules: readonly string[];
  /** Cell paths to offer inside `changes( )`. */
  readonly paths: readonly string[];
}

const FAULT_NAMES = nameTable(
  [
    { name: 'true', value: 1n, when: [] },
    { name: 'false', value: 0n, when: [] },
  ],
  [],
  '0 or 1',
);

/** `2.0` is VP 0 of partition 2; the index alone is any partition's. */
const VP_NAMES: FieldNames = {
  lookup(name) {
    const ref = parseVp(name);
    if (ref?.partition === undefined || ref.vp === undefined) return [];
    return [{ name, value: BigInt(ref.vp), when: [{ field: 'partition', value: ref.partition }] }];
  },
  entries: [],
  offered: [],
  form: 'a VP such as 2.0, or an index',
};

const HANDLE_FORM: TextForm = {
  read(word) {
    const handle = parseHandle(word);
    return handle === undefined ? undefined : formatHandle(handle);
  },
  offered: ['device'],
  form: 'a handle such as device, partition:2 or vp:2.0',
};

function words(offered: readonly string[], form: string): TextForm {
  return { read: (word) => word, offered, form };
}

/**
 * The fields of the filter language over events, in the order in which they are offered. What each reads from
 * which kind of event stands in docs/filter.md and event-access.ts.
 */
export function eventFields(options: FieldOptions): FieldTable {
  const fixed: FieldSpec[] = [
    { name: 'seq', type: 'position', subField: 'sub', bare: 'nonzero', doc: 'position of the event' },
    { name: 't', type: 'time', bare: 'nonzero', doc: 'time of entry, from the start of the trace' },
    { name: 'dur', type: 'time', bare: 'nonzero', doc: 'time that an ioctl or hypercall took' },
    { name: 'kind', type: 'name', names: ordinalNames(EVENT_KINDS), bare: 'present', doc: 'kind of event' },
    {
      name: 'op',
      type: 'number',
      names: opNames(options.dialect),
      numberWhen: [ofKind('ioctl')],
      bare: 'present',
      doc: 'ioctl, direction of an MSR access, type of an intercept, or what happened',
    },
    { name: 'code', type: 'number', names: CODE_NAMES, bare: 'nonzero', doc: 'call code of a hypercall' },
    { name: 'msr', type: 'number', names: MSR_NAMES, bare: 'nonzero', doc: 'address of an MSR' },
    { name: 'status', type: 'number', names: STATUS_NAMES, bare: 'nonzero', doc: 'status of a hypercall' },
    { name: 'errno', type: 'number', names: ERRNO_NAMES, bare: 'nonzero', doc: 'errno of a failed call' },
    { name: 'ret', type: 'number', bare: 'nonzero', doc: 'result of a call, negative errno on failure' },
    {
      name: 'fault',
      type: 'number',
      names: FAULT_NAMES,
      bare: 'nonzero',
      doc: 'an MSR access or hypercall faulted',
    },
    { name: 'cpu', type: 'number', bare: 'nonzero', doc: 'CPU that it happened on' },
    { name: 'vp', type: 'number', names: VP_NAMES, bare: 'present', doc: 'VP that it is about' },
    { name: 'pid', type: 'number', bare: 'nonzero', doc: 'process' },
    { name: 'tid', type: 'number', bare: 'nonzero', doc: 'thread' },
    {
      name: 'handle',
      type: 'text',
      text: HANDLE_FORM,
      bare: 'present',
      doc: 'open file that a call speaks to',
    },
    {
      name: 'partition',
      type: 'number',
      unsigned64: true,
      bare: 'nonzero',
      doc: 'id of the partition that it is about',
    },
    {
      name: 'component',
      type: 'text',
      text: words(options.components, 'a component'),
      bare: 'present',
      doc: 'party that made the access',
    },
    {
      name: 'provenance',
      type: 'name',
      names: ordinalNames(PROVENANCES),
      bare: 'present',
      doc: 'how the event came to be known',
    },
    { name: 'sub', type: 'number', bare: 'nonzero', hidden: true, doc: 'place below a recorded event' },
    { name: 'dialect', type: 'number', bare: 'present', hidden: true, doc: 'dialect of an ioctl' },
    { name: 'handlekind', type: 'number', bare: 'present', hidden: true, doc: 'kind of the handle' },
  ];
  const rule: FieldSpec = {
    name: 'rule',
    type: 'text',
    text: words(options.rules, 'a rule'),
    bare: 'present',
    doc: 'rules of the findings that the event proves or causes',
  };
  const fields = options.replayed ? [...fixed, rule] : fixed;
  return { fields, payload: abiPayloadNames(), state: options.replayed, paths: options.paths };
}
