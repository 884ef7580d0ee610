import { componentOf } from '../../live/kernel/attribution.ts';
import type { EventBody } from '../../sources/emitter.ts';

const UNCHECKED =
  /unchecked MSR access error: (?:(WRMSR) to|RDMSR from) 0x([0-9a-f]{1,8})(?: \(tried to write 0x([0-9a-f]{1,16})\))? at rIP: 0x[0-9a-f]+(?: \(([\w.]{1,128})[^)]*\))?/;

/**
 * The access that a line of the log proves: it faulted where the kernel was not prepared for it, and a read gave 0. The kernel says so once
 * for writes and once for reads in all its life (Linux 7.2 arch/x86/mm/extable.c, ex_handler_msr).
 */
export function uncheckedAccess(text: string): EventBody | undefined {
  const match = UNCHECKED.exec(text);
  if (match === null) return undefined;
  const [, write, msr = '0', value, symbol] = match;
  if ((write === undefined) !== (value === undefined)) return undefined;
  // Older kernels name their helper and not who called it.
  const owner =
    symbol === undefined || /^(?:native_|hv_set_|hv_get_)/.test(symbol) ? undefined : componentOf([symbol]);
  return {
    kind: 'msr',
    dir: write === undefined ? 'read' : 'write',
    msr: Number.parseInt(msr, 16),
    ...(value === undefined ? {} : { value: BigInt(`0x${value}`) }),
    fault: true,
    ...(owner === undefined ? {} : { component: owner }),
    note: `logged as an unchecked access${symbol === undefined ? '' : ` in ${symbol}`}; the kernel logs only the first of its kind`,
  };
}
