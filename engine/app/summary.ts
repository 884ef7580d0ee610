import { hypercallInputToObject } from '../abi/codec/hypercall.ts';
import { ioctlArgToObject } from '../abi/codec/ioctl.ts';
import { type AbiJson, type AbiObject, isObject } from '../abi/codec/json.ts';
import { payloadToObject, slotToObject } from '../abi/codec/message.ts';
import { decodeMsr, hexOf } from '../abi/index.ts';
import { ioctlRowOf } from '../trace/dialect.ts';
import type { TraceEvent } from '../trace/event.ts';
import type { Profile } from '../trace/profile.ts';

/** Characters of a summary; the detail has all of it. */
const MAX_CHARS = 160;

/** What an event carried, in one line: the members that are not zero. */
export function summaryOf(event: TraceEvent, profile: Profile): string {
  const text = carried(event, profile);
  const note = event.note === undefined ? '' : `${text === '' ? '' : ' '}“${event.note}”`;
  const whole = text + note;
  return whole.length > MAX_CHARS ? `${whole.slice(0, MAX_CHARS - 1)}…` : whole;
}

function carried(event: TraceEvent, profile: Profile): string {
  switch (event.kind) {
    case 'msr':
      return event.value === undefined ? '' : bits(event.msr, event.value);
    case 'hypercall':
      return event.input === undefined ? '' : members(hypercallInputToObject(event.control, event.input));
    case 'ioctl': {
      const row = ioctlRowOf(event, profile);
      return row === undefined || event.arg === undefined ? '' : members(ioctlArgToObject(row, event.arg));
    }
    case 'intercept':
      return event.payload === undefined ? '' : members(payloadToObject(event.type, event.payload));
    case 'message':
      return [
        `SINT${event.sint}`,
        event.reason,
        event.vector === undefined ? undefined : `vector ${hexOf(event.vector)}`,
        event.slot === undefined ? undefined : channelMembers(event.slot),
      ]
        .filter((word) => word !== undefined)
        .join(' ');
    case 'lifecycle':
      return [event.component, event.fail === undefined ? undefined : `fails at ${event.fail}`]
        .filter((word) => word !== undefined)
        .join(', ');
    case 'fd':
      return [event.path, event.fd === undefined ? undefined : `fd ${event.fd}`]
        .filter((word) => word !== undefined)
        .join(' ');
    case 'page':
      return event.gpa === undefined ? '' : `GPA ${hexOf(event.gpa)}`;
    case 'mark':
      return [event.text, event.lost === undefined ? undefined : `${event.lost} lost`]
        .filter((word) => word !== undefined)
        .join(' ');
  }
}

/** The members of a channel message, which `op` has named. */
function channelMembers(slot: Uint8Array): string | undefined {
  const json = slotToObject(slot);
  const payload = isObject(json) ? json.payload : undefined;
  if (!isObject(payload) || payload.vmbus === undefined) return undefined;
  const { vmbus: _named, ...others } = payload;
  return members(others as AbiObject) || undefined;
}

function bits(msr: number, value: bigint): string {
  return decodeMsr(msr, value)
    .filter((bit) => bit.value !== 0n)
    .map((bit) => (bit.width === 1 ? bit.name : `${bit.name}=${hexOf(bit.value)}`))
    .join(' ');
}

function members(json: AbiJson): string {
  if (typeof json !== 'object' || Array.isArray(json)) return String(json);
  return Object.entries(json)
    .map(([name, value]) => `${name}=${short(value)}`)
    .join(' ');
}

function short(value: AbiJson): string {
  if (typeof value !== 'object') return String(value);
  if (!Array.isArray(value)) return `{${members(value)}}`;
  if (value.every((element) => typeof element === 'string')) return value.slice(0, 4).join('|');
  return `[${value.length}]`;
}
