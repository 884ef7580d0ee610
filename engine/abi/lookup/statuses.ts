import { STATUSES } from '../data/statuses.ts';
import type { StatusCode } from '../ids.ts';
import { splitRow, tableLines } from '../text.ts';
import { type ErrnoName, errnoNumber } from './errnos.ts';
import { type NamedRow, NameTable } from './name-table.ts';

export interface StatusRow extends NamedRow {
  /** What Linux 7.2 turns it into; undefined for success. */
  readonly errno: ErrnoName | undefined;
  readonly errnoRfc2020: ErrnoName | undefined;
  /** Stands in the kernel's own table of statuses. */
  readonly inLinuxTable: boolean;
  /** The caller is to deposit memory and retry. */
  readonly needsMemory: boolean;
}

/** Hypercall statuses (TLFS, hypercall status codes). */
export const statuses = new NameTable<StatusRow, StatusCode>(['HV_STATUS_'], () =>
  tableLines(STATUSES).map((line) => {
    const [value = '', name = '', errno = '', errnoRfc2020 = '', ...words] = splitRow(line).words;
    return {
      value: Number(value),
      name,
      errno: errno === '0' ? undefined : (errno as ErrnoName),
      errnoRfc2020: errnoRfc2020 === '0' ? undefined : (errnoRfc2020 as ErrnoName),
      inLinuxTable: words.includes('linux'),
      needsMemory: words.includes('memory'),
    };
  }),
);

/** Which kernel's mapping of statuses to errnos. */
export type ErrnoMapping = 'linux' | 'rfc2020';

/**
 * The errno that a failed hypercall becomes; 0 for success. Statuses outside the table become EIO
 * (Linux 7.2.13 drivers/hv/hv_common.c, hv_result_to_errno) or ENOTRECOVERABLE (RFC 2020).
 */
export function errnoOfStatus(status: number, mapping: ErrnoMapping = 'linux'): number {
  const row = statuses.find(status);
  const fallback = mapping === 'linux' ? 'EIO' : 'ENOTRECOVERABLE';
  if (row === undefined) return errnoNumber(fallback);
  const name = mapping === 'linux' ? row.errno : row.errnoRfc2020;
  return name === undefined ? 0 : errnoNumber(name);
}
