import { cell, objectKind, singleCellKind } from '../../state/schema.ts';
import { PARTITION } from './partition.ts';
import { VP } from './vp.ts';

/** `partition[2].intercept[0x140000000]`: accesses that stop a VP; the key is type * 2^32 + parameter. */
export const INTERCEPT = singleCellKind('intercept', PARTITION, 'hex', {
  as: 'flags',
  names: ['READ', 'WRITE', 'EXECUTE'],
});

const output = () => ({ result: cell(), mask: cell() });

/** `partition[2].vp[0].cpuid[0x4000000100000000]`: what a CPUID leaf is to say; the key is leaf * 2^32 + subleaf. */
export const CPUID_RESULT = objectKind('cpuid', VP, 'hex', {
  /** It holds for that subleaf alone. */
  subleafSpecific: cell('bool'),
  always: cell('bool'),
  ...{ eax: output(), ebx: output(), ecx: output(), edx: output() },
});

/** `partition[2].vp[0].msrAction[0x1b]`: what becomes of reads of an MSR that is not implemented; of writes 2^32 further. */
export const MSR_RESULT = objectKind('msrAction', VP, 'hex', { action: cell('dec') });
