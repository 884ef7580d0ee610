import type { MsrMatrix } from '../../engine/app/api.ts';

/**
 * Registers that anything in the trace ever wrote, by their column: most of the 24 SynIC registers of a CPU stay at
 * their reset value. Judged by the end of the trace, so that columns do not come and go with the cursor.
 */
export function usedColumns(now: MsrMatrix, atEnd: MsrMatrix | undefined): number[] {
  const all = now.registers.map((_, column) => column);
  const used = all.filter((column) =>
    [...now.rows, ...(atEnd?.rows ?? [])].some(({ cells }) => cells[column]?.writer !== undefined),
  );
  return used.length === 0 ? all : used;
}

const PREFIX = 'HV_X64_MSR_';

/** A register's name without what all have in common. */
export function shortRegister(name: string): string {
  return name.startsWith(PREFIX) ? name.slice(PREFIX.length) : name;
}
