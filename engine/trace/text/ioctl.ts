import {
  type FdKind,
  findIoctl,
  type IoctlAnswer,
  type IoctlBuffers,
  type IoctlRow,
  ioctlArgFromObject,
  ioctlArgToObject,
  ioctlDataFromObject,
  ioctlDataToObject,
  ioctlInFromObject,
  ioctlInToObject,
  ioctlNamed,
  ioctlOutFromObject,
  ioctlOutToObject,
  sameBytes,
} from '../../abi/index.ts';
import { DIALECTS, type Dialect, type IoctlEvent, type IoctlOut } from '../event.ts';
import { formatHandle, type HandleKind } from '../handle.ts';
import { bytesOf, refusalOf } from './abi-object.ts';
import { readBytesObject, writeBytesObject } from './bytes-object.ts';
import { HANDLE, I32, integerOf, oneOf, orNull, TIME } from './codec.ts';
import type { TextContext } from './context.ts';
import type { Json, JsonObject } from './json.ts';
import type { Draft, ExtraKeys, KindText } from './kind.ts';
import { expected, objectOf, Refusal } from './refusal.ts';
import { missing, readKey, rowsOf } from './row.ts';

/** The descriptors that the drivers know; an eventfd and a foreign file have no ioctls of ours. */
function fdKindOf(kind: HandleKind): FdKind | undefined {
  return kind === 'eventfd' || kind === 'foreign' ? undefined : kind;
}

function rowOf(dialect: Dialect, handle: IoctlEvent['handle'], op: number): IoctlRow | undefined {
  const kind = fdKindOf(handle.kind);
  return kind === undefined ? undefined : findIoctl(dialect, kind, op);
}

/** A request by its name in that dialect on that kind of handle, or by its number. */
function readOp(json: Json, dialect: Dialect, handle: IoctlEvent['handle']): number {
  const kind = fdKindOf(handle.kind);
  const row = typeof json === 'string' && kind !== undefined ? ioctlNamed(dialect, kind, json) : undefined;
  const number = row === undefined ? integerOf(json) : row.number;
  if (number === undefined || number < 0 || number > 0xffff_ffff)
    throw expected(`an ioctl of ${dialect} on a ${handle.kind} by name, or a number`, json);
  return Number(number);
}

function writeOp({ op }: IoctlEvent, row: IoctlRow | undefined): string {
  return row?.number === op ? `"${row.name}"` : `"0x${op.toString(16)}"`;
}

function readUndecoded(json: Json): Uint8Array {
  const bytes = readBytesObject(json);
  if (bytes === undefined) throw expected('{"bytes":"<hex>"}, because nothing is known of this call', json);
  return bytes;
}

/** `out` with its parts apart: `{"handle","arg":{…},"data":{…}}`. */
function isApart(object: JsonObject): boolean {
  return Object.hasOwn(object, 'data') && typeof object.data === 'object';
}

type Out = { -readonly [K in keyof IoctlOut]: IoctlOut[K] };

function readOutApart(object: JsonObject, row: IoctlRow | undefined, buffers: IoctlBuffers): Out {
  const out: Out = {};
  const arg = readKey(object, 'arg', (json) =>
    row === undefined ? readUndecoded(json) : bytesOf(ioctlArgFromObject(row, json)),
  );
  const data = readKey(object, 'data', (json) =>
    row === undefined ? readUndecoded(json) : bytesOf(ioctlDataFromObject(row, buffers, json)),
  );
  if (arg !== undefined) out.arg = arg;
  if (data !== undefined) out.data = data;
  return out;
}

function readOutMerged(object: JsonObject, row: IoctlRow, buffers: IoctlBuffers): Out {
  const read = ioctlOutFromObject(row, buffers, object);
  if (!read.ok) throw refusalOf(read.error);
  const { arg, data } = read.answer;
  return { ...(arg === undefined ? {} : { arg }), ...(data === undefined ? {} : { data }) };
}

function readOut(json: Json, row: IoctlRow | undefined, buffers: IoctlBuffers): IoctlOut {
  const { handle: given, ...rest } = objectOf(json);
  const handle =
    given === undefined ? undefined : readKey({ handle: given }, 'handle', (value) => HANDLE.read(value));
  const apart = row === undefined || isApart(rest);
  if (apart)
    for (const key of Object.keys(rest))
      if (key !== 'arg' && key !== 'data')
        throw new Refusal(`unknown key "${key}"; expected one of handle arg data`, [key], true);
  const out = apart ? readOutApart(rest, row, buffers) : readOutMerged(rest, row, buffers);
  return handle === undefined ? out : { handle, ...out };
}

function isSameOut(a: IoctlAnswer, b: IoctlOut): boolean {
  return sameBytes(a.arg, b.arg) && sameBytes(a.data, b.data);
}

function writeOutApart(out: IoctlOut, row: IoctlRow | undefined, buffers: IoctlBuffers): string {
  const part = (bytes: Uint8Array, decode: (known: IoctlRow) => unknown): string =>
    row === undefined ? writeBytesObject(bytes) : JSON.stringify(decode(row));
  const { handle, arg, data } = out;
  const parts = [
    handle === undefined ? '' : `,"handle":${HANDLE.write(handle)}`,
    arg === undefined ? '' : `,"arg":${part(arg, (known) => ioctlArgToObject(known, arg))}`,
    data === undefined ? '' : `,"data":${part(data, (known) => ioctlDataToObject(known, buffers, data))}`,
  ];
  return `{${parts.join('').slice(1)}}`;
}

/** One object of all that came back, where reading it gives the same; else the parts apart. */
function writeOut(out: IoctlOut, row: IoctlRow | undefined, buffers: IoctlBuffers): string {
  if (row === undefined) return writeOutApart(out, row, buffers);
  const merged = ioctlOutToObject(row, buffers, { arg: out.arg, data: out.data });
  if (isApart(merged) || Object.hasOwn(merged, 'handle')) return writeOutApart(out, row, buffers);
  // A buffer alone, none of whose members is named like a part of the argument, reads back as it was written.
  const alone =
    out.arg === undefined && !['arg', ...row.writesBack].some((name) => Object.hasOwn(merged, name));
  const read = alone ? undefined : ioctlOutFromObject(row, buffers, merged);
  if (read !== undefined && (!read.ok || !isSameOut(read.answer, out)))
    return writeOutApart(out, row, buffers);
  return JSON.stringify(out.handle === undefined ? merged : { handle: formatHandle(out.handle), ...merged });
}

const DIALECT = oneOf(DIALECTS);
const ANY_OBJECT = { type: 'object' } as const;

const BUFFERS: ExtraKeys = {
  keys: {
    op: {
      type: ['string', 'integer'],
      description: 'MSHV_… by the dialect and the kind of handle, or its number',
    },
    dialect: DIALECT.schema,
    arg: ANY_OBJECT,
    in: ANY_OBJECT,
    out: ANY_OBJECT,
  },
  read(object: JsonObject, draft: Draft, context: TextContext): void {
    const handle = draft.handle as IoctlEvent['handle'];
    const given = readKey(object, 'dialect', (json) => DIALECT.read(json));
    const dialect = given ?? context.dialect;
    const op = readKey(object, 'op', (json) => readOp(json, dialect, handle));
    if (op === undefined) throw missing('op');
    const row = rowOf(dialect, handle, op);
    const arg = readKey(object, 'arg', (json) =>
      row === undefined ? readUndecoded(json) : bytesOf(ioctlArgFromObject(row, json)),
    );
    const input = readKey(object, 'in', (json) =>
      row === undefined ? readUndecoded(json) : bytesOf(ioctlInFromObject(row, arg, json)),
    );
    const out = readKey(object, 'out', (json) => readOut(json, row, { arg, in: input }));
    draft.op = op;
    if (given !== undefined) draft.dialect = given;
    if (arg !== undefined) draft.arg = arg;
    if (input !== undefined) draft.in = input;
    if (out !== undefined) draft.out = out;
  },
  write(draft: Readonly<Draft>, context: TextContext): string {
    const event = draft as unknown as IoctlEvent;
    const row = rowOf(event.dialect ?? context.dialect, event.handle, event.op);
    const buffers = { arg: event.arg, in: event.in };
    const { arg, in: input, out } = event;
    const text = (bytes: Uint8Array, decode: (known: IoctlRow) => unknown): string =>
      row === undefined ? writeBytesObject(bytes) : JSON.stringify(decode(row));
    return [
      `,"op":${writeOp(event, row)}`,
      event.dialect === undefined ? '' : `,"dialect":"${event.dialect}"`,
      arg === undefined ? '' : `,"arg":${text(arg, (known) => ioctlArgToObject(known, arg))}`,
      input === undefined ? '' : `,"in":${text(input, (known) => ioctlInToObject(known, buffers))}`,
      out === undefined ? '' : `,"out":${writeOut(out, row, buffers)}`,
    ].join('');
  },
};

const ioctl = rowsOf<IoctlEvent>();
export const IOCTL_TEXT: KindText = {
  kind: 'ioctl',
  lead: [],
  rows: [ioctl.required('handle', HANDLE), ioctl.optional('fd', I32)],
  extra: BUFFERS,
  tail: [ioctl.optional('ret', orNull(I32)), ioctl.optional('tEnd', TIME)],
};
