import {
  type BitField,
  channelMessages,
  constants,
  errnos,
  hypercalls,
  messageTypes,
  msrs,
  partitionProperties,
  registers,
  statuses,
  valueSets,
} from '../../engine/abi/index.ts';
import { code, GENERATED, hex, page, range, table } from './markdown.ts';
import { structLink } from './structs.ts';

/** Pages of the tables that fit on one page each. */
export function tablePages(): Map<string, string> {
  return new Map([
    ['hypercalls.md', hypercallPage()],
    ['statuses.md', statusPage()],
    ['msrs.md', msrPage()],
    ['registers.md', registerPage()],
    ['messages.md', messagePage()],
    ['vmbus.md', channelMessagePage()],
    ['properties.md', propertyPage()],
    ['values.md', valuePage()],
    ['constants.md', constantPage()],
  ]);
}

function hypercallPage(): string {
  const rows = hypercalls.all();
  return page(
    '# Hypercalls',
    `${GENERATED} Source: Linux 7.2.13 include/hyperv and drivers/hv; shapes of TLFS. Through MSHV_ROOT_HVCALL: whether` +
      ' the driver passes the call on. Fast: input in registers; bold where Linux issues it so. Where the shape is' +
      ' empty, only code and name were found in a public source.',
    table(
      ['code', 'name', 'shape', 'fast', 'through MSHV_ROOT_HVCALL', 'input', 'output', 'note'],
      rows.map((row) => [
        code(hex(row.value, 4)),
        row.name,
        [row.shape === 'unknown' ? '' : row.shape, row.variableHeader ? 'variable header' : '']
          .join(' ')
          .trim(),
        row.fastInLinux ? '**yes**' : row.fastCapable === true ? 'yes' : '',
        { no: '', partition: 'partition, VP', device: 'device, partition, VP' }[row.passthrough],
        row.input === undefined ? '' : structLink(row.input),
        row.output === undefined ? '' : structLink(row.output),
        row.note,
      ]),
    ),
    '## Control word',
    table(
      ['bits', 'field'],
      [
        ['0..15', 'call code'],
        ['16', 'fast'],
        ['17..26', 'variable header, in 8-byte units'],
        ['27..30', 'reserved'],
        ['31', 'nested'],
        ['32..43', 'rep count'],
        ['44..47', 'reserved'],
        ['48..59', 'rep start'],
        ['60..63', 'reserved'],
      ],
    ),
    '## Result word',
    table(
      ['bits', 'field'],
      [
        ['0..15', 'status'],
        ['16..31', 'reserved'],
        ['32..43', 'elements completed, counted from element 0'],
        ['44..63', 'reserved'],
      ],
    ),
  );
}

function statusPage(): string {
  return page(
    '# Statuses and errnos',
    `${GENERATED} Source: Linux 7.2.13 drivers/hv/hv_common.c; RFC patches of 2020; names that the kernel's table lacks` +
      ' from rust-vmm. A status that is not listed becomes EIO (Linux 7.2) or ENOTRECOVERABLE (RFC 2020). When the' +
      ' hypercall page does not exist the word is all ones and the errno EOPNOTSUPP.',
    table(
      ['value', 'name', 'errno, Linux 7.2', 'errno, RFC 2020', 'in the kernel’s table', 'caller'],
      statuses
        .all()
        .map((row) => [
          code(hex(row.value, 4)),
          row.name,
          row.errno ?? '0',
          row.errnoRfc2020 ?? '0',
          row.inLinuxTable ? 'yes' : '',
          row.needsMemory ? 'deposits memory and retries' : '',
        ]),
    ),
    '## Errnos',
    table(
      ['number', 'name', 'meaning'],
      errnos.all().map((row) => [`${row.value}`, row.name, row.meaning]),
    ),
  );
}

function msrPage(): string {
  const rows = msrs.all();
  const layouts = new Map(
    rows.flatMap((row) => (row.layout === undefined ? [] : [[row.layout, row] as const])),
  );
  return page(
    '# Synthetic MSRs',
    `${GENERATED} Source: TLFS; Linux 7.2.13 include/hyperv and arch/x86/hyperv; KVM's header for SYNDBG; OpenVMM hvdef` +
      ' for the proxy bit of a SINT.',
    table(
      ['address', 'name', 'access', 'at reset', 'value', 'who writes it in Linux', 'note'],
      rows.map((row) => [
        code(hex(row.value, 8)),
        row.name,
        row.access,
        row.reset === undefined ? '' : hex(row.reset),
        row.layout === undefined ? '' : `[${row.layout}](#${row.layout})`,
        row.owner ?? '',
        row.note,
      ]),
    ),
    '## Layouts',
    ...[...layouts].flatMap(([name, { bits, layoutNote }]) => [`### ${name}`, bitTable(bits), layoutNote]),
  );
}

function bitTable(bits: readonly BitField[]): string {
  return table(
    ['bits', 'field', 'read as'],
    bits.map(({ name, lsb, width, display }) => [range(lsb, width), name, display === 'dec' ? '' : display]),
  );
}

function registerPage(): string {
  return page(
    '# VP registers',
    `${GENERATED} Source: Linux 7.2.13 include/hyperv; names that it lacks from rust-vmm.`,
    table(
      ['name code', 'name', 'value', 'named in Linux 7.2'],
      registers
        .all()
        .map((row) => [
          code(hex(row.value, 8)),
          row.name,
          row.layout === undefined ? '' : structLink(row.layout),
          row.inLinux ? 'yes' : '',
        ]),
    ),
  );
}

function messagePage(): string {
  return page(
    '# SynIC message types',
    `${GENERATED} Source: Linux 7.2.13 include/hyperv; what it lacks from rust-vmm. The payload stands at byte 16 of the` +
      ` message, see ${structLink('hv_message')}.`,
    table(
      ['type', 'name', 'payload'],
      messageTypes
        .all()
        .map((row) => [
          code(hex(row.value, 8)),
          row.name,
          row.payload === undefined ? '' : structLink(row.payload),
        ]),
    ),
  );
}

function channelMessagePage(): string {
  return page(
    '# Channel messages of VMBus',
    `${GENERATED} Source: Linux 7.2 include/linux/hyperv.h; what it lacks from openvmm vmbus_core. A channel message is the` +
      ` payload of a SynIC message of type 1, posted with HVCALL_POST_MESSAGE or delivered to SINT2. Of several structs` +
      ' the payload size tells which it is: the longest that it holds.',
    table(
      ['type', 'name', 'sent by', 'structs', 'note'],
      channelMessages
        .all()
        .map((row) => [
          code(`${row.value}`),
          row.name,
          row.sender,
          row.structs.map((struct) => structLink(struct)).join(', '),
          row.note,
        ]),
    ),
  );
}

function propertyPage(): string {
  return page(
    '# Partition properties',
    `${GENERATED} Source: Linux 7.2.13 include/hyperv; names that it lacks from rust-vmm.`,
    table(
      ['code', 'name'],
      partitionProperties.all().map((row) => [code(hex(row.value, 8)), row.name]),
    ),
  );
}

/** Enumerations that have a page of their own. */
const SUBJECT_PAGES = [
  'hypercalls',
  'messageTypes',
  'partitionProperties',
  'registers',
  'statuses',
  'vmbusMessages',
];
const PAGE_OF_SUBJECT: Readonly<Record<string, string>> = {
  hypercalls: 'hypercalls',
  messageTypes: 'messages',
  partitionProperties: 'properties',
  registers: 'registers',
  statuses: 'statuses',
  vmbusMessages: 'vmbus',
};

function valuePage(): string {
  const sections = [...valueSets()].map(([name, set]) => {
    const rows =
      set.kind === 'enum'
        ? set.names.all().map((row) => [code(hex(row.value)), row.name])
        : set.rows.map((row) => [code(hex(row.mask)), row.fullName]);
    const kind = set.kind === 'enum' ? 'One of:' : `Any of; the event text leaves ${code(set.prefix)} out:`;
    return `## ${name}\n\n${kind}\n\n${table(['value', 'name'], rows)}`;
  });
  const subjects = SUBJECT_PAGES.map(
    (name) => `## ${name}\n\nSee [${name}](${PAGE_OF_SUBJECT[name] ?? name}.md).`,
  );
  return page(
    '# Enumerations and flags',
    `${GENERATED} Source: Linux 7.2.13 include/hyperv and uapi linux/mshv.h; what they lack from rust-vmm; vmbus: Linux 7.2 include/linux/hyperv.h and openvmm.`,
    ...sections,
    ...subjects,
  );
}

function constantPage(): string {
  return page(
    '# Constants',
    `${GENERATED} Source: Linux 7.2.13 include/hyperv and drivers/hv. Values that stand in another table are not repeated.`,
    table(
      ['value', 'name'],
      [...constants()].map(([name, value]) => [code(hex(value)), name]),
    ),
  );
}
