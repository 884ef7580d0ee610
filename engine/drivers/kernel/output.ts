import type { Context } from '../../machine/context.ts';
import type { IoctlEvent } from '../../trace/event.ts';

/**
 * The output buffer of an ioctl that makes a hypercall of the caller's: `size` bytes of the kernel's page. What the
 * call did not write of it is what the page happened to hold, and bound.
 */
export function copiedOutput(
  context: Context,
  event: IoctlEvent,
  size: number,
  output: Uint8Array = new Uint8Array(0),
): Uint8Array {
  const data = new Uint8Array(size);
  const written = output.subarray(0, size);
  const rest = event.ret === 0 ? event.out?.data?.subarray(written.length, size) : undefined;
  if (rest?.some((byte) => byte !== 0)) {
    context.bind('page-rest', 1n, 0n);
    data.set(rest, written.length);
  }
  data.set(written);
  return data;
}
