import { type BitValue, decodeBits } from './codec/bits.ts';
import type { DecodedStruct } from './codec/decoded.ts';
import { decodeRegister } from './codec/register.ts';
import { type ControlWord, decodeControl, decodeResult, type ResultWord } from './codec/words.ts';
import type { StructLayout } from './layout/layout.ts';
import { findStruct } from './layout/structs.ts';
import { constants } from './lookup/constants.ts';
import { type ErrnoRow, errnos } from './lookup/errnos.ts';
import { type HypercallRow, hypercalls } from './lookup/hypercalls.ts';
import { IOCTL_TYPE, type IoctlDirection, type IoctlRow, ioctlParts } from './lookup/ioctl-row.ts';
import { allIoctls, meaningsOfIoctl } from './lookup/ioctls.ts';
import { type MessageTypeRow, messageTypes } from './lookup/messages.ts';
import { type MsrRow, msrs } from './lookup/msrs.ts';
import type { NamedRow } from './lookup/name-table.ts';
import { partitionProperties } from './lookup/properties.ts';
import { type RegisterRow, registers } from './lookup/registers.ts';
import { valueSets } from './lookup/sets.ts';
import { type StatusRow, statuses } from './lookup/statuses.ts';
import { type ChannelMessageRow, channelMessages } from './lookup/vmbus.ts';
import { parseUnsigned } from './text.ts';

/** One thing that a number or name can be. `bits` and `value` where a value was given with it. */
export type Explanation =
  | { readonly what: 'status'; readonly row: StatusRow }
  | { readonly what: 'errno'; readonly row: ErrnoRow }
  | { readonly what: 'ioctl'; readonly row: IoctlRow }
  | {
      /** A request of type 0xB8 that no dialect has. */
      readonly what: 'ioctl-number';
      readonly number: number;
      readonly direction: IoctlDirection;
      readonly nr: number;
      readonly size: number;
    }
  | { readonly what: 'hypercall'; readonly row: HypercallRow }
  | {
      readonly what: 'msr';
      readonly row: MsrRow;
      readonly value?: bigint;
      readonly bits?: readonly BitValue[];
    }
  | {
      readonly what: 'register';
      readonly row: RegisterRow;
      readonly value?: bigint;
      readonly members?: DecodedStruct;
    }
  | { readonly what: 'message'; readonly row: MessageTypeRow }
  | { readonly what: 'channel-message'; readonly row: ChannelMessageRow }
  | { readonly what: 'property'; readonly row: NamedRow }
  | { readonly what: 'control-word'; readonly word: ControlWord; readonly row: HypercallRow }
  | { readonly what: 'result-word'; readonly word: ResultWord; readonly row: StatusRow }
  | { readonly what: 'set-member'; readonly set: string; readonly name: string; readonly value: bigint }
  | { readonly what: 'constant'; readonly name: string; readonly value: bigint }
  | { readonly what: 'struct'; readonly layout: StructLayout };

/**
 * Every reading that fits a number (decimal or hex), a name (canonical, bare or Linux's) or `NAME=VALUE` of an MSR
 * or register. Empty when nothing does.
 */
export function explain(text: string): Explanation[] {
  const word = text.trim();
  const equals = word.indexOf('=');
  if (equals > 0) return explainValue(word.slice(0, equals), word.slice(equals + 1));
  if (/^-[0-9]+$/.test(word)) return errnoOf(-Number(word));
  const number = parseUnsigned(word);
  if (number === undefined) return explainName(word);
  return explainNumber(number, /^0x[0-9a-f]{16}$/i.test(word));
}

function errnoOf(value: number): Explanation[] {
  const row = errnos.find(value);
  return row === undefined ? [] : [{ what: 'errno', row }];
}

/** The rows of the tables that have one number for one thing. */
function rowsOf(find: <Row extends NamedRow>(table: Lookup<Row>) => Row | undefined): Explanation[] {
  const found: Explanation[] = [];
  const status = find(statuses);
  if (status !== undefined) found.push({ what: 'status', row: status });
  const errno = find(errnos);
  if (errno !== undefined) found.push({ what: 'errno', row: errno });
  const hypercall = find(hypercalls);
  if (hypercall !== undefined) found.push({ what: 'hypercall', row: hypercall });
  const msr = find(msrs);
  if (msr !== undefined) found.push({ what: 'msr', row: msr });
  const register = find(registers);
  if (register !== undefined) found.push({ what: 'register', row: register });
  const message = find(messageTypes);
  if (message !== undefined) found.push({ what: 'message', row: message });
  const channel = find(channelMessages);
  if (channel !== undefined) found.push({ what: 'channel-message', row: channel });
  const property = find(partitionProperties);
  if (property !== undefined) found.push({ what: 'property', row: property });
  return found;
}

interface Lookup<Row extends NamedRow> {
  find(value: number): Row | undefined;
  named(name: string): Row | undefined;
}

function explainNumber(value: bigint, isWholeWord: boolean): Explanation[] {
  const found: Explanation[] = [];
  if (value <= 0xffff_ffffn) {
    const number = Number(value);
    found.push(...ioctlReadings(number), ...rowsOf((table) => table.find(number)));
  }
  // Below 2^16 a word is nothing but its code or status, which the rows above have said.
  if (value > 0xffffn || isWholeWord) found.push(...wordReadings(BigInt.asUintN(64, value)));
  if (value > 0xffffn) {
    for (const [name, constant] of constants()) {
      if (constant === value) found.push({ what: 'constant', name, value });
    }
    for (const [set, values] of valueSets()) {
      const row =
        values.kind === 'enum' && value <= 0xffff_ffffn ? values.names.find(Number(value)) : undefined;
      if (row !== undefined) found.push({ what: 'set-member', set, name: row.name, value });
    }
  }
  return found;
}

function ioctlReadings(number: number): Explanation[] {
  const rows = meaningsOfIoctl(number);
  if (rows.length > 0) return rows.map((row) => ({ what: 'ioctl', row }));
  const { type, ...parts } = ioctlParts(number);
  return type === IOCTL_TYPE && number > 0xffff ? [{ what: 'ioctl-number', number, ...parts }] : [];
}

/** Control and result words, where the reserved bits are clear and the counts fit the call. */
function wordReadings(value: bigint): Explanation[] {
  const found: Explanation[] = [];
  const control = decodeControl(value);
  const call = hypercalls.find(control.code);
  const countFits = call?.shape === 'unknown' || (call?.shape === 'rep') === control.repCount > 0;
  if (call !== undefined && control.reserved === 0n && countFits) {
    found.push({ what: 'control-word', word: control, row: call });
  }
  const result = decodeResult(value);
  const status = statuses.find(result.status);
  if (status !== undefined && result.reserved === 0n)
    found.push({ what: 'result-word', word: result, row: status });
  return found;
}

function explainName(name: string): Explanation[] {
  const ioctls = allIoctls().filter((row) => row.name === name || row.name === `MSHV_${name}`);
  const found: Explanation[] = ioctls.map((row) => ({ what: 'ioctl', row }));
  found.push(...rowsOf((table) => table.named(name)));
  for (const [set, values] of valueSets()) {
    if (values.kind === 'flags') {
      const flag = values.named.get(name);
      if (flag?.fullName === name) found.push({ what: 'set-member', set, name, value: flag.mask });
    } else {
      const row = values.names.named(name);
      if (row?.name === name) found.push({ what: 'set-member', set, name, value: BigInt(row.value) });
    }
  }
  const constant = constants().get(name);
  if (constant !== undefined) found.push({ what: 'constant', name, value: constant });
  const layout = findStruct(name);
  if (layout !== undefined) found.push({ what: 'struct', layout });
  return found;
}

/** `SIMP=0x1234001`: the members of an MSR's or register's value. */
function explainValue(name: string, text: string): Explanation[] {
  const value = parseUnsigned(text);
  if (value === undefined) return [];
  const found: Explanation[] = [];
  const msr = msrs.named(name) ?? msrs.find(Number(parseUnsigned(name) ?? -1n));
  if (msr !== undefined && value < 1n << 64n) {
    found.push({ what: 'msr', row: msr, value, bits: decodeBits(msr.bits, value) });
  }
  const register = registers.named(name) ?? registers.find(Number(parseUnsigned(name) ?? -1n));
  if (register !== undefined && value < 1n << 128n) {
    const members = decodeRegister(register.value, value);
    found.push({ what: 'register', row: register, value, ...(members === undefined ? {} : { members }) });
  }
  return found;
}
