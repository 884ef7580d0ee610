import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ADDED_STRUCTS } from './data/structs/additions.ts';
import type { Field, FieldType, StructLayout } from './layout/layout.ts';
import { findStruct, layoutOfType, structNames, structOf } from './layout/structs.ts';
import { findConstant } from './lookup/constants.ts';
import { errnos } from './lookup/errnos.ts';
import { hypercalls } from './lookup/hypercalls.ts';
import { ioctlNumber, ioctlParts } from './lookup/ioctl-row.ts';
import { allIoctls, findIoctl, ioctlNamed, ioctlOf, meaningsOfIoctl } from './lookup/ioctls.ts';
import { messageTypes } from './lookup/messages.ts';
import { msrs } from './lookup/msrs.ts';
import { partitionProperties } from './lookup/properties.ts';
import { registers } from './lookup/registers.ts';
import { setOf, valueSets } from './lookup/sets.ts';
import { errnoOfStatus, statuses } from './lookup/statuses.ts';
import { channelMessages } from './lookup/vmbus.ts';

const added = ADDED_STRUCTS.flatMap(({ text }) =>
  [...text.matchAll(/^(?:struct|union) (\w+)/gm)].map((m) => m[1]),
);

test('every row of the ABI is there', () => {
  assert.equal(allIoctls().length, 102);
  // Of the hypervisor and its drivers 303, of VMBus 29.
  assert.equal(structNames().filter((name) => !added.includes(name)).length, 332);
  assert.equal(channelMessages.all().length, 29);
  assert.equal(hypercalls.all().length, 96);
  assert.equal(statuses.all().length, 61);
  assert.equal(msrs.all().length, 81);
  assert.equal(registers.all().length, 340);
  assert.equal(messageTypes.all().length, 41);
  assert.equal(partitionProperties.all().length, 57);
});

test('no number and no name is given twice in a table; registers have one deliberate alias', () => {
  const tables = [statuses, msrs, hypercalls, messageTypes, partitionProperties, errnos, channelMessages];
  for (const table of tables) {
    const rows = table.all();
    assert.equal(new Set(rows.map((row) => row.value)).size, rows.length);
    assert.equal(new Set(rows.map((row) => row.name)).size, rows.length);
  }
  assert.equal(new Set(registers.all().map((row) => row.value)).size, 339);
  assert.equal(registers.name(0x10006), 'HV_REGISTER_DELIVERABILITY_NOTIFICATIONS');
  assert.equal(new Set(structNames()).size, structNames().length);
});

test('every ioctl number follows from direction, type, nr and size', () => {
  const unknownSize = allIoctls().filter((row) => row.number === undefined);
  assert.deepEqual(
    unknownSize.map((row) => `${row.dialect} ${row.name}`),
    ['dom0-legacy MSHV_IMPORT_ISOLATED_PAGES', 'dom0-legacy MSHV_COMPLETE_ISOLATED_IMPORT'],
  );
  for (const row of allIoctls()) {
    if (row.number === undefined || row.size === undefined) continue;
    assert.equal(row.number, ioctlNumber(row.direction, row.nr, row.size), row.name);
    assert.deepEqual(ioctlParts(row.number), {
      direction: row.direction,
      type: 0xb8,
      nr: row.nr,
      size: row.size,
    });
  }
});

test('an argument that is a struct has the size that the number says', () => {
  for (const row of allIoctls()) {
    if (row.argument === undefined || row.size === undefined) continue;
    assert.equal(structOf(row.argument).size, row.size, row.name);
  }
});

test('what an ioctl writes back and opens is named as it is', () => {
  const kinds = new Set(allIoctls().flatMap((row) => row.fds));
  const opening = new Set(allIoctls().flatMap((row) => (row.opens === undefined ? [] : [row.name])));
  assert.deepEqual([...opening].sort(), [
    'MSHV_CREATE_DEVICE',
    'MSHV_CREATE_PARTITION',
    'MSHV_CREATE_VP',
    'MSHV_CREATE_VTL',
  ]);
  for (const row of allIoctls()) {
    const fields = row.argument === undefined ? [] : structOf(row.argument).fields.map((field) => field.name);
    for (const name of row.writesBack) assert.ok(fields.includes(name), `${row.name} ${name}`);
    assert.ok(row.opens === undefined || kinds.has(row.opens), row.name);
  }
});

test('fifteen numbers mean more than one thing; dialect and descriptor decide', () => {
  const numbers = new Set(allIoctls().flatMap((row) => (row.number === undefined ? [] : [row.number])));
  const shared = [...numbers].filter((number) => {
    const meanings = meaningsOfIoctl(number);
    return new Set(meanings.map((row) => `${row.dialect} ${row.name}`)).size > 1;
  });
  assert.equal(shared.length, 15);
  assert.equal(findIoctl('upstream', 'partition', 0x4020b802)?.name, 'MSHV_SET_GUEST_MEMORY');
  assert.equal(findIoctl('rfc2020', 'partition', 0x4020b802)?.name, 'MSHV_MAP_GUEST_MEMORY');
  assert.equal(findIoctl('vtl', 'device', 0x4004b800)?.name, 'MSHV_CHECK_EXTENSION');
  assert.equal(findIoctl('rfc2020', 'device', 0x4004b800)?.name, 'MSHV_REQUEST_VERSION');
  assert.equal(findIoctl('vtl', 'vtl', 0x4008b825)?.name, 'MSHV_SET_POLL_FILE');
  assert.equal(findIoctl('vtl', 'sint', 0x4008b825)?.name, 'MSHV_SINT_PAUSE_MESSAGE_STREAM');
  assert.deepEqual(ioctlOf('upstream', 'device', 0x4004b800), { unknown: 0x4004b800 });
  assert.equal(ioctlNamed('dom0-legacy', 'vp', 'ROOT_HVCALL')?.number, 0xc020b835);
  // Where the size of the argument is not known, any size is that call.
  assert.equal(findIoctl('dom0-legacy', 'partition', 0x4010b829)?.name, 'MSHV_IMPORT_ISOLATED_PAGES');
});

function sizeOf(type: FieldType): number {
  if (type.kind === 'integer') return type.bytes;
  if (type.kind === 'array') return (type.count ?? 0) * sizeOf(type.element);
  return (layoutOfType(type) as StructLayout).size;
}

function checkField(layout: StructLayout, field: Field): void {
  const place = `${layout.name}.${field.name}`;
  assert.ok(field.offset >= 0 && field.offset + field.size <= layout.size, `${place} is out of bounds`);
  assert.equal(field.size, sizeOf(field.type), place);
  let end = 0;
  for (const bit of field.bits) {
    if (bit.lsb === 0) end = 0;
    assert.equal(bit.lsb, end, `${place}.${bit.name} leaves bits out`);
    end = bit.lsb + bit.width;
    assert.ok(end <= 8 * field.size, `${place}.${bit.name} is out of its carrier`);
    checkSet(bit.display, place);
  }
  if (field.bits.length > 0) assert.equal(end, 8 * field.size, `${place}: bits do not fill the carrier`);
  checkSet(field.display, place);
  if (field.type.kind === 'inline') checkLayout(field.type.layout);
}

function checkSet(display: string, place: string): void {
  if (display.startsWith('@')) assert.notEqual(setOf(display.slice(1)), undefined, `${place} ${display}`);
}

function checkLayout(layout: StructLayout): void {
  const names = layout.fields.flatMap((field) => [field.name, ...field.bits.map((bit) => bit.name)]);
  const named = names.filter((name) => name !== '');
  assert.equal(new Set(named).size, named.length, `${layout.name} names a member twice`);
  const conditions = layout.fields.flatMap(({ when }) =>
    when === undefined || when.kind === 'else' ? [] : [when],
  );
  for (const { outer, field } of conditions) {
    if (!outer) assert.ok(named.includes(field), `${layout.name} has a condition on ${field}`);
  }
  const trailing = layout.fields.findIndex(({ type }) => type.kind === 'array' && type.count === undefined);
  if (trailing >= 0) {
    assert.equal(trailing, layout.fields.length - 1, `${layout.name} goes on after a trailing array`);
    assert.equal(layout.fields[trailing]?.offset, layout.size, layout.name);
  }
  for (const field of layout.fields) checkField(layout, field);
}

test('fields lie in their structs, bit fields fill their carriers, names are known and no two alike', () => {
  for (const name of structNames()) checkLayout(structOf(name));
});

/** Bytes that writers use: no two chosen unconditional members share any. */
test('members that share bytes are alternatives, conditional, or in a nested struct of their own', () => {
  for (const name of structNames()) {
    const layout = structOf(name);
    const taken = new Map<number, string>();
    for (const field of layout.fields) {
      if (field.alternative || field.when !== undefined) continue;
      for (let at = field.offset; at < field.offset + field.size; at++) {
        assert.equal(taken.get(at), undefined, `${name}.${field.name} at ${at}`);
        taken.set(at, field.name);
      }
    }
  }
});

test('what other tables point to exists', () => {
  for (const { name, input, output } of hypercalls.all()) {
    for (const struct of [input, output]) if (struct !== undefined) assert.ok(findStruct(struct), name);
  }
  for (const { name, payload } of messageTypes.all()) {
    if (payload !== undefined) assert.ok(structOf(payload).size <= 240, name);
  }
  for (const { name, structs } of channelMessages.all()) {
    const sizes = structs.map((struct) => structOf(struct).size);
    assert.ok(
      sizes.every((size, i) => size <= 240 && size > (sizes[i - 1] ?? 0)),
      name,
    );
  }
  for (const { name, layout } of registers.all()) {
    if (layout !== undefined) assert.ok(structOf(layout).size <= 16, name);
  }
  for (const { name, layout, bits } of msrs.all())
    assert.equal(layout === undefined, bits.length === 0, name);
});

test('every status has an errno in both mappings', () => {
  for (const { value } of statuses.all()) {
    assert.equal(errnoOfStatus(value) === 0, value === 0);
    assert.equal(errnoOfStatus(value, 'rfc2020') === 0, value === 0);
  }
  assert.equal(errnos.name(errnoOfStatus(0x06)), 'EIO');
  assert.equal(errnos.name(errnoOfStatus(0x06, 'rfc2020')), 'EACCES');
  assert.equal(errnos.name(errnoOfStatus(0x7fff)), 'EIO');
  assert.equal(errnos.name(errnoOfStatus(0x7fff, 'rfc2020')), 'ENOTRECOVERABLE');
  const memory = statuses.all().filter((row) => row.needsMemory);
  assert.deepEqual(
    memory.map((row) => row.value),
    [0x0b, 0x73, 0x75, 0x83],
  );
});

test('readers accept every name that the contract allows', () => {
  const simp = 0x40000083;
  for (const name of [
    'HV_X64_MSR_SIMP',
    'SIMP',
    'HV_MSR_SIMP',
    'HV_REGISTER_SIMP',
    '0x40000083',
    '1073741955',
  ]) {
    assert.equal(msrs.parse(name), simp, name);
  }
  for (const name of ['HVCALL_CREATE_VP', 'CREATE_VP', '0x4e', '78']) {
    assert.equal(hypercalls.parse(name), 0x4e, name);
  }
  for (const name of ['HV_X64_REGISTER_RIP', 'RIP', '0x20010'])
    assert.equal(registers.parse(name), 0x20010, name);
  for (const name of ['HV_STATUS_SUCCESS', 'SUCCESS', '0']) assert.equal(statuses.parse(name), 0, name);
  assert.equal(hypercalls.name(0x8001), 'HVCALL_HV_EXT_CALL_QUERY_CAPABILITIES');
  assert.equal(hypercalls.parse('HV_EXT_CALL_QUERY_CAPABILITIES'), 0x8001);
  assert.equal(msrs.name(0x6e0), '0x6e0');
  assert.equal(msrs.parse('NO_SUCH_MSR'), undefined);
  assert.equal(msrs.parse('0x100000000'), undefined);
  assert.deepEqual(statuses.get(0x7fff), { unknown: 0x7fff });
  assert.throws(() => msrs.number('NO_SUCH_MSR'));
});

test('every name accepted of a row leads back to its number', () => {
  for (const table of [
    statuses,
    msrs,
    hypercalls,
    registers,
    messageTypes,
    partitionProperties,
    errnos,
    channelMessages,
  ]) {
    for (const row of table.all()) assert.equal(table.parse(row.name), row.value, row.name);
  }
  for (const [name, set] of valueSets()) {
    if (set.kind === 'flags') {
      for (const flag of set.rows) {
        assert.equal(set.named.get(flag.name), flag, `${name} ${flag.name}`);
        assert.ok(flag.fullName.startsWith(set.prefix), flag.fullName);
      }
    } else {
      for (const row of set.names.all())
        assert.equal(set.names.parse(row.name), row.value, `${name} ${row.name}`);
    }
  }
});

test('constants are found wherever they stand', () => {
  assert.equal(findConstant('HV_PARTITION_ID_SELF'), 0xffff_ffff_ffff_ffffn);
  assert.equal(findConstant('HV_INIT_PARTITION_DEPOSIT_PAGES'), 208n);
  assert.equal(findConstant('HV_MAP_GPA_READABLE'), 1n);
  assert.equal(findConstant('HV_PORT_TYPE_DOORBELL'), 4n);
  assert.equal(findConstant('HV_X64_MSR_SINT15'), 0x4000009fn);
  assert.equal(findConstant('HV_PARTITION_PROPERTY_SUSPEND'), 0x20000n);
  assert.equal(findConstant('HV_NO_SUCH_THING'), undefined);
});
