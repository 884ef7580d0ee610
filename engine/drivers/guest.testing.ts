import { type FdKind, ioctlNamed } from '../abi/index.ts';
import type { Dialect } from '../trace/event.ts';
import type { Handle } from '../trace/handle.ts';
import type { JsonObject } from '../trace/text/json.ts';
import { Bench } from './bench.testing.ts';

/** What tests of partitions, their memory and their VPs share. */

export const DEVICE: Handle = { kind: 'device', open: 1 };
export const PARTITION: Handle = { kind: 'partition', partition: 2n };
export const VP: Handle = { kind: 'vp', partition: 2n, vp: 0 };
export const ROOT = { kernel: 'upstream-7.2', role: 'root', cpus: 1 };

export function request(fd: FdKind, name: string, dialect: Dialect = 'upstream'): number {
  const op = ioctlNamed(dialect, fd, name)?.number;
  if (op === undefined) throw new Error(`no ${name}`);
  return op;
}

export function u32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}

/** Partition 2 on a root partition, initialised unless said otherwise, with VPs 0 up to `vps`. */
export function activePartition(given: JsonObject = {}, initialized = true, vps = 0): Bench {
  const bench = new Bench({ ...ROOT, ...given });
  const arg = new Uint8Array(16);
  bench.ioctl({ handle: DEVICE, op: request('device', 'MSHV_CREATE_PARTITION'), arg, pid: 7 });
  if (initialized) {
    bench.ioctl({ handle: PARTITION, op: request('partition', 'MSHV_INITIALIZE_PARTITION'), pid: 7 });
  }
  const create = request('partition', 'MSHV_CREATE_VP');
  for (let i = 0; i < vps; i++) bench.ioctl({ handle: PARTITION, op: create, arg: u32(i), pid: 7 });
  return bench;
}

/** The hypercalls, without CPU and component. */
export function hypercallsOf(lines: readonly string[]): string[] {
  return lines.map((line) => line.replace('0 mshv HC ', ''));
}

/** Argument of MSHV_SET_GUEST_MEMORY. */
export function memoryArg(given: {
  readonly size?: bigint;
  readonly frame?: bigint;
  readonly address?: bigint;
  readonly flags?: number;
  readonly reserved?: number;
}): Uint8Array {
  const { size = 0x1000n, frame = 0x1n, address = 0x7000_0000_0000n, flags = 0, reserved = 0 } = given;
  const arg = new Uint8Array(32);
  const view = new DataView(arg.buffer);
  view.setBigUint64(0, size, true);
  view.setBigUint64(8, frame, true);
  view.setBigUint64(16, address, true);
  arg[24] = flags;
  arg[31] = reserved;
  return arg;
}
