import {
  type AbiJson,
  errnos,
  hypercallInputToObject,
  hypercalls,
  msrs,
  statuses,
} from '../../engine/abi/index.ts';
import type { Step } from '../../engine/replay/step.ts';
import type { HypercallEvent, TraceEvent } from '../../engine/trace/event.ts';

/** An ABI value as the tables write it: without quotes; page lists and raw bytes are left out. */
function plain(value: AbiJson): string {
  if (Array.isArray(value)) return `[${value.map(plain).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return String(value);
  const object = value as Readonly<Record<string, AbiJson>>;
  // Of a channel message the name says enough.
  return object.vmbus === undefined ? `{${members(object)}}` : `{vmbus: ${String(object.vmbus)}}`;
}

function members(object: Readonly<Record<string, AbiJson>>): string {
  return Object.entries(object)
    .filter(
      ([key, value]) =>
        !/page_list|pfns$|^bytes$/.test(key) && (key !== 'payload' || typeof value === 'object'),
    )
    .map(([key, value]) => `${key}: ${plain(value)}`)
    .join(', ');
}

function status(value: number): string {
  return statuses.name(value).replace('HV_STATUS_', '');
}

/** `SUCCESS`, `SUCCESS 3` of a rep call, `#UD`. */
export function answerOf({ result, fault }: HypercallEvent): string {
  if (fault === true) return '#UD';
  if (result === undefined) return 'no answer';
  return result.reps === 0 ? status(result.status) : `${status(result.status)} ${result.reps}`;
}

/** The result of a call into the kernel: a number, the name of its errno, or `waits`. */
export function returnOf(ret: number | null | undefined): string {
  if (ret === undefined || ret === null) return 'waits';
  return ret < 0 ? errnos.name(-ret) : String(ret);
}

function hypercallLine(event: HypercallEvent, isFull: boolean): string {
  const name = hypercalls.name(Number(event.control & 0xffffn)).replace('HVCALL_', '');
  const answer = answerOf(event).replace(/^SUCCESS ?/, '');
  const input = isFull && event.input !== undefined ? members(inputOf(event, event.input)) : '';
  return [name, answer, input === '' ? '' : `{${input}}`].filter((part) => part !== '').join(' ');
}

function inputOf(event: HypercallEvent, input: Uint8Array): Readonly<Record<string, AbiJson>> {
  const object = hypercallInputToObject(event.control, input);
  return typeof object === 'object' ? (object as Readonly<Record<string, AbiJson>>) : {};
}

/**
 * What a step did, in one line: `CREATE_VP`, `DEPOSIT_MEMORY 90`, `W SIMP 0x1001`. `isFull` adds the fields of a
 * hypercall's input in braces.
 */
export function lineOf({ event }: Step, isFull: boolean): string {
  const cpu = event.cpu === undefined || event.cpu === 0 ? '' : `cpu ${event.cpu}: `;
  return cpu + eventLine(event, isFull);
}

function eventLine(event: TraceEvent, isFull: boolean): string {
  switch (event.kind) {
    case 'hypercall':
      return hypercallLine(event, isFull);
    case 'msr': {
      const name = msrs.name(event.msr).replace('HV_X64_MSR_', '');
      const value = event.dir === 'write' && isFull ? ` 0x${(event.value ?? 0n).toString(16)}` : '';
      return `${event.dir === 'read' ? 'R' : 'W'} ${name}${value}${event.fault === true ? ' #GP' : ''}`;
    }
    case 'message':
      return `message ${event.what}${event.sint === undefined ? '' : ` SINT${event.sint}`}`;
    case 'lifecycle':
      return [event.what, event.component, event.phase, event.ret]
        .filter((word) => word !== undefined)
        .join(' ');
    case 'mark':
      return `mark ${event.what}`;
    case 'page':
      return `page ${event.what} ${event.page}`;
    default:
      return event.kind;
  }
}
