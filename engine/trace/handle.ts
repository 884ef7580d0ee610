/**
 * What an ioctl or fd event speaks to: an open file of the mshv drivers by kind. An ioctl number means nothing
 * without it. `undefined` ids are those the recording has not learnt yet (printed `?`).
 */
export type Handle =
  | { readonly kind: 'device'; readonly open: number }
  | { readonly kind: 'partition'; readonly partition: bigint | undefined }
  | { readonly kind: 'vp'; readonly partition: bigint | undefined; readonly vp: number | undefined }
  | { readonly kind: 'vtl' | 'hvcall' | 'sint' | 'vtl-low'; readonly open: number }
  | { readonly kind: 'eventfd' | 'foreign'; readonly fd: number };

export type HandleKind = Handle['kind'];

/** A virtual processor of a child partition, `2.0` in the event text. */
export interface VpRef {
  readonly partition: bigint | undefined;
  readonly vp: number | undefined;
}

const COUNTED = new Set<string>(['device', 'vtl', 'hvcall', 'sint', 'vtl-low']);
const MAX_PARTITION_ID = 0xffff_ffff_ffff_ffffn;

function parseIndex(text: string): number | undefined {
  if (!/^(0|[1-9][0-9]{0,9})$/.test(text)) return undefined;
  const value = Number(text);
  return value <= 0xffff_ffff ? value : undefined;
}

/** What a program gives as a descriptor may be any int, -1 too; fields of the ABI have it without a sign. */
function parseDescriptor(text: string): number | undefined {
  if (!/^(0|-?[1-9][0-9]{0,9})$/.test(text)) return undefined;
  const value = Number(text);
  return value >= -0x8000_0000 && value <= 0xffff_ffff ? value : undefined;
}

function parsePartition(text: string): bigint | undefined {
  if (!/^(0|[1-9][0-9]{0,19})$/.test(text)) return undefined;
  const value = BigInt(text);
  return value <= MAX_PARTITION_ID ? value : undefined;
}

/** Reads `2.0`, `?.?`, `2.?`; undefined when the text names no VP. */
export function parseVp(text: string): VpRef | undefined {
  const dot = text.indexOf('.');
  if (dot < 0) return undefined;
  const [p, v] = [text.slice(0, dot), text.slice(dot + 1)];
  const partition = p === '?' ? undefined : parsePartition(p);
  const vp = v === '?' ? undefined : parseIndex(v);
  if ((partition === undefined && p !== '?') || (vp === undefined && v !== '?')) return undefined;
  return { partition, vp };
}

export function formatVp(ref: VpRef): string {
  return `${ref.partition ?? '?'}.${ref.vp ?? '?'}`;
}

/** Reads a handle of the event text: `device`, `device:2`, `partition:2`, `vp:2.0`, `eventfd:7`, … */
export function parseHandle(text: string): Handle | undefined {
  if (text === 'device') return { kind: 'device', open: 1 };
  const colon = text.indexOf(':');
  if (colon < 0) return undefined;
  const [kind, rest] = [text.slice(0, colon), text.slice(colon + 1)];
  if (kind === 'partition') {
    if (rest === '?') return { kind, partition: undefined };
    const partition = parsePartition(rest);
    return partition === undefined ? undefined : { kind, partition };
  }
  if (kind === 'vp') {
    const ref = parseVp(rest);
    return ref === undefined ? undefined : { kind, ...ref };
  }
  if (kind === 'eventfd' || kind === 'foreign') {
    const fd = parseDescriptor(rest);
    return fd === undefined ? undefined : { kind, fd };
  }
  const index = parseIndex(rest);
  if (!COUNTED.has(kind) || index === undefined) return undefined;
  return { kind: kind as 'device' | 'vtl' | 'hvcall' | 'sint' | 'vtl-low', open: index };
}

/** Prints a handle as the event text has it; the first open of the device is plain `device`. */
export function formatHandle(handle: Handle): string {
  switch (handle.kind) {
    case 'device':
      return handle.open === 1 ? 'device' : `device:${handle.open}`;
    case 'partition':
      return `partition:${handle.partition ?? '?'}`;
    case 'vp':
      return `vp:${formatVp(handle)}`;
    case 'eventfd':
    case 'foreign':
      return `${handle.kind}:${handle.fd}`;
    default:
      return `${handle.kind}:${handle.open}`;
  }
}
