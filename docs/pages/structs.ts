import {
  allIoctls,
  channelMessages,
  type Field,
  type FieldType,
  hypercalls,
  messageTypes,
  registers,
  STRUCT_SUBJECTS,
  type StructLayout,
  type StructSubject,
  structNames,
  structOf,
  structsOfSubject,
} from '../../engine/abi/index.ts';
import { code, GENERATED, page, range, table } from './markdown.ts';

const pageOf = new Map(
  STRUCT_SUBJECTS.flatMap((subject) =>
    structsOfSubject(subject).map((name) => [name as string, subject.name] as const),
  ),
);

/** A link to a struct's section, from a page in docs/reference or, with `up`, from one in a folder of it. */
export function structLink(name: string, up = ''): string {
  const subject = pageOf.get(name);
  return subject === undefined ? code(name) : `[${name}](${up}structs/${subject}.md#${name})`;
}

/** What uses a struct, as links and names. */
function usersOf(): Map<string, string[]> {
  const users = new Map<string, string[]>();
  const add = (struct: string | undefined, user: string): void => {
    if (struct === undefined) return;
    const list = users.get(struct) ?? [];
    if (!list.includes(user)) list.push(user);
    users.set(struct, list);
  };
  for (const { name, input, output } of hypercalls.all()) {
    add(input, `input of ${name}`);
    add(output, `output of ${name}`);
  }
  for (const { argument, dialect, name } of allIoctls()) add(argument, `argument of ${name} (${dialect})`);
  for (const { name, payload } of messageTypes.all()) add(payload, `payload of ${name}`);
  for (const { name, structs } of channelMessages.all()) for (const struct of structs) add(struct, name);
  for (const { name, layout } of registers.all()) add(layout, `value of ${name}`);
  for (const name of structNames()) {
    for (const inner of innerStructs(structOf(name))) add(inner, `member of ${name}`);
  }
  return users;
}

function innerStructs(layout: StructLayout): string[] {
  return layout.fields.flatMap(({ type }) => {
    const element = type.kind === 'array' ? type.element : type;
    if (element.kind === 'struct') return [element.name];
    return element.kind === 'inline' ? innerStructs(element.layout) : [];
  });
}

export function structPages(): Map<string, string> {
  const users = usersOf();
  return new Map(
    STRUCT_SUBJECTS.map((subject) => [`structs/${subject.name}.md`, subjectPage(subject, users)] as const),
  );
}

function subjectPage(subject: StructSubject, users: ReadonlyMap<string, readonly string[]>): string {
  return page(
    `# ${subject.title}`,
    `${GENERATED} Bytes and bits count from 0; bit ranges are those of the little-endian field above them. A name in` +
      ' *italics* is another reading of bytes that other members name: the event text accepts it and does not write it.',
    ...structsOfSubject(subject).map((name) => structSection(structOf(name), users.get(name) ?? [])),
  );
}

/** As many users as one line holds. */
const MOST_USERS = 4;

function structSection(layout: StructLayout, users: readonly string[]): string {
  const shown = users.slice(0, MOST_USERS).join(', ');
  const more = users.length > MOST_USERS ? ` and ${users.length - MOST_USERS} more` : '';
  const use = users.length === 0 ? '' : `; ${shown}${more}`;
  return page(
    `## ${layout.name}`,
    `${layout.kind} of ${layout.size} bytes${use}. Source: ${layout.source}.`,
    table(
      ['bytes', 'bits', 'field', 'type', 'read as'],
      layout.fields.flatMap((field) => fieldRows(field, 0, '')),
    ),
  ).trimEnd();
}

function fieldRows(field: Field, base: number, prefix: string): string[][] {
  const offset = base + field.offset;
  const rows: string[][] = [];
  const bytes = field.size === 0 ? `${offset}..` : range(offset, field.size);
  if (field.name !== '') {
    const name = field.alternative ? `*${prefix}${field.name}*` : `${prefix}${field.name}`;
    rows.push([bytes, '', name, typeText(field.type, field.pointsTo), readAs(field)]);
  }
  for (const bit of field.bits) {
    const name = bit.alternative ? `*${prefix}${bit.name}*` : `${prefix}${bit.name}`;
    rows.push([
      field.name === '' ? bytes : '',
      range(bit.lsb, bit.width),
      name,
      '',
      displayText(bit.display),
    ]);
  }
  if (field.type.kind === 'inline') {
    for (const member of field.type.layout.fields)
      rows.push(...fieldRows(member, offset, `${prefix}${field.name}.`));
  }
  return rows;
}

function typeText(type: FieldType, pointsTo?: string): string {
  if (pointsTo !== undefined) return `pointer to ${pointsTo}`;
  switch (type.kind) {
    case 'integer':
      return `${type.signed ? 's' : 'u'}${8 * type.bytes}`;
    case 'struct':
      return structLink(type.name, '../');
    case 'inline':
      return type.layout.kind;
    case 'array':
      return `${typeText(type.element)}[${type.count ?? ''}]`;
  }
}

function displayText(display: string): string {
  if (display === 'dec') return '';
  return display.startsWith('@')
    ? `[${display.slice(1)}](../values.md#${display.slice(1).toLowerCase()})`
    : display;
}

const VERBS = { equals: 'is', shares: 'has', reaches: 'is at least' } as const;

function readAs(field: Field): string {
  const { when } = field;
  const display =
    field.type.kind === 'struct' || field.type.kind === 'inline' ? '' : displayText(field.display);
  if (when === undefined) return display;
  const condition =
    when.kind === 'else'
      ? 'unless another one applies'
      : `when ${when.outer ? 'the outer ' : ''}${when.field} ${VERBS[when.kind]} ${when.name}`;
  return [display, condition].filter((text) => text !== '').join('; ');
}
