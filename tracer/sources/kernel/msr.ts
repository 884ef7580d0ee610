import { fieldPrints, type SourceRow, unsigned } from './told.ts';

function row(name: 'read_msr' | 'write_msr', dir: 'read' | 'write'): SourceRow {
  return {
    system: 'msr',
    name,
    fields: fieldPrints('msr:x val:x failed:d'),
    becomes: 'msr',
    why: 'the access; #GP only where the kernel was prepared for it: else it reads 0, and says so once in its log',
    tell: (fields) => {
      const msr = Number(unsigned(fields('msr'), 32));
      const fault = (fields('failed') ?? 0n) === 0n ? {} : { fault: true };
      return {
        kind: 'event',
        body: { kind: 'msr', dir, msr, value: unsigned(fields('val'), 64), ...fault },
      };
    },
  };
}

/** The trace points of the MSR primitives (Linux arch/x86/include/asm/msr-trace.h). */
export const MSR_ROWS: readonly SourceRow[] = [
  row('read_msr', 'read'),
  row('write_msr', 'write'),
  {
    system: 'msr',
    name: 'rdpmc',
    fields: fieldPrints('msr:d val:x failed:d'),
    becomes: 'note',
    why: 'it reads a performance counter, which is no MSR: kept out',
    tell: () => undefined,
  },
];
