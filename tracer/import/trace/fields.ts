import { TRACE_POINTS } from '../../sources/kernel/meanings.ts';
import { PROBES } from '../../sources/kernel/probes.ts';
import type { Fields, SourceRow } from '../../sources/kernel/told.ts';

/** A record that means something: its row of the table, and its fields. */
export interface KnownRecord {
  readonly row: Pick<SourceRow, 'tell' | 'becomes'>;
  readonly fields: Fields;
}

const BY_NAME = new Map(TRACE_POINTS.map((row) => [row.name, row]));

/** Finds what a record means; `unreadable` where its name is known and its text is not what the kernel prints. */
export function knownRecord(name: string, text: string): KnownRecord | 'unreadable' | undefined {
  const row = BY_NAME.get(name);
  if (row === undefined) return probeRecord(text);
  const values =
    row.system === 'msr' ? msrValues(text) : row.system === 'kvm' ? kvmValues(row, text) : pairs(text);
  return values === undefined ? 'unreadable' : { row, fields: (field) => values.get(field) };
}

type Values = ReadonlyMap<string, bigint>;

/** `40000083, value 10200100001 #GP` (Linux 7.2 include/trace/events of arch/x86, msr-trace.h). */
function msrValues(text: string): Values | undefined {
  const match = /^([0-9a-f]{1,8}), value ([0-9a-f]{1,16})( #GP)?$/.exec(text.trim());
  if (match === null) return undefined;
  const [, msr = '0', value = '0', failed] = match;
  return new Map([
    ['msr', BigInt(`0x${msr}`)],
    ['val', BigInt(`0x${value}`)],
    ['failed', failed === undefined ? 0n : 1n],
  ]);
}

/** `name=value` words; numbers in any base, with a zero that has no prefix. Undefined where there are none. */
function pairs(text: string): Values | undefined {
  const values = new Map<string, bigint>();
  for (const [, name = '', value = ''] of text.matchAll(
    /([A-Za-z_]\w{0,63})=(-?0x[0-9a-fA-F]{1,16}|-?\d{1,20})(?![\w])/g,
  ))
    values.set(name, integerOf(value));
  return values.size === 0 ? undefined : values;
}

function integerOf(text: string): bigint {
  return text.startsWith('-') ? -BigInt(text.slice(1)) : BigInt(text);
}

/** Rows name their fields in the order in which the kernel prints them; between them stand words. */
function kvmValues(row: SourceRow, text: string): Values | undefined {
  if (row.name === 'kvm_msr') return kvmMsrValues(text);
  const values = new Map<string, bigint>();
  let next = 0;
  for (const word of text.trim().split(/\s+/)) {
    const field = row.fields[next];
    if (field === undefined) break;
    const value = wordValue(word, field.base);
    if (value === undefined) continue;
    values.set(field.name, value);
    next += 1;
  }
  return next === row.fields.length ? values : undefined;
}

function wordValue(word: string, base: 'd' | 'x'): bigint | undefined {
  if (word === 'fast' || word === 'slow') return word === 'fast' ? 1n : 0n;
  if (/^0x[0-9a-f]{1,16}$/.test(word)) return BigInt(word);
  if (base === 'x') return /^[0-9a-f]{1,16}$/.test(word) ? BigInt(`0x${word}`) : undefined;
  return /^-?\d{1,20}$/.test(word) ? integerOf(word) : undefined;
}

/** `msr_write 40000091 = 0x0 (#GP)` (Linux 7.2 arch/x86/kvm/trace.h). */
function kvmMsrValues(text: string): Values | undefined {
  const match = /^msr_(read|write) ([0-9a-f]{1,8}) = 0x([0-9a-f]{1,16})( \(#GP\))?$/.exec(text.trim());
  if (match === null) return undefined;
  const [, dir, ecx = '0', data = '0', fault] = match;
  return new Map([
    ['write', dir === 'write' ? 1n : 0n],
    ['ecx', BigInt(`0x${ecx}`)],
    ['data', BigInt(`0x${data}`)],
    ['exception', fault === undefined ? 0n : 1n],
  ]);
}

/** `(symbol+0x0/0x90) arg=…`, at a return `(caller+0x9c/0x1a0 <- symbol) arg=…` (Linux 7.2 kernel/trace/trace_kprobe.c). */
const PLACE =
  /^\(([\w.]{1,128})(?:\+0x[0-9a-f]+\/0x[0-9a-f]+)?(?: <- ([\w.]{1,128})(?:\+0x[0-9a-f]+\/0x[0-9a-f]+)?)?\)(.*)$/;

/** Names that people give the arguments of the functions of the table. */
const ALIASES: ReadonlyMap<string, string> = new Map([
  ['val', 'value'],
  ['ctl', 'control'],
  ['in', 'input'],
  ['out', 'output'],
  ['res', 'ret'],
  ['retval', 'ret'],
  ['arg1', 'ret'],
]);

/** A probe has the name that its maker gave it: what it means is told by the function where it stands, or by its arguments. */
function probeRecord(text: string): KnownRecord | undefined {
  const match = PLACE.exec(text);
  if (match === null) return undefined;
  const [, at = '', returned, rest = ''] = match;
  const given = pairs(rest) ?? new Map<string, bigint>();
  const values = new Map([...given].map(([name, value]) => [ALIASES.get(name) ?? name, value]));
  const has = (name: string): boolean => values.has(name);
  const like =
    has('reg') && has('value')
      ? 'hv_set_non_nested_msr'
      : has('control') && has('input')
        ? 'hv_std_hypercall'
        : '';
  const find = (symbol: string): (typeof PROBES)[number] | undefined =>
    PROBES.find((probe) => probe.symbol === symbol && probe.atReturn === (returned !== undefined));
  const probe = find(returned ?? at) ?? find(like);
  if (probe === undefined) return undefined;
  // Arguments of other names stand in the order of the function's.
  const inOrder = [...values.values()];
  const at0 = probe.row.fields.findIndex(({ name }) => !has(name));
  const fields: Fields = (name) => {
    const value = values.get(name);
    if (value !== undefined || at0 < 0) return value;
    const index = probe.row.fields.findIndex((field) => field.name === name);
    return index < 0 ? undefined : inOrder[index];
  };
  return { row: probe.row, fields };
}
