import { DOM0_LEGACY_IOCTLS } from '../data/ioctls/dom0-legacy.ts';
import { RFC2020_IOCTLS } from '../data/ioctls/rfc2020.ts';
import { RUST_VMM_IOCTLS } from '../data/ioctls/rust-vmm.ts';
import { UPSTREAM_IOCTLS } from '../data/ioctls/upstream.ts';
import { VTL_IOCTLS } from '../data/ioctls/vtl.ts';
import type { FdKind, IoctlDialect } from '../ids.ts';
import { type IoctlRow, ioctlParts, ioctlRows } from './ioctl-row.ts';
import type { Unknown } from './name-table.ts';

let rows: readonly IoctlRow[] | undefined;
const byDialect = new Map<IoctlDialect, readonly IoctlRow[]>();

/** Every ioctl of every dialect. */
export function allIoctls(): readonly IoctlRow[] {
  rows ??= [UPSTREAM_IOCTLS, VTL_IOCTLS, RFC2020_IOCTLS, RUST_VMM_IOCTLS, DOM0_LEGACY_IOCTLS].flatMap(
    ioctlRows,
  );
  return rows;
}

/** The ioctls of one dialect. */
export function ioctlsOf(dialect: IoctlDialect): readonly IoctlRow[] {
  let found = byDialect.get(dialect);
  if (found === undefined) {
    found = allIoctls().filter((row) => row.dialect === dialect);
    byDialect.set(dialect, found);
  }
  return found;
}

/** Whether a request could be this row: by number, or by its parts where the row's size is not known. */
function matches(row: IoctlRow, number: number): boolean {
  if (row.number !== undefined) return row.number === number;
  const parts = ioctlParts(number);
  return parts.type === 0xb8 && parts.nr === row.nr && parts.direction === row.direction;
}

/** The meaning of a request; undefined when the dialect has none on that kind of descriptor. */
export function findIoctl(dialect: IoctlDialect, fd: FdKind, number: number): IoctlRow | undefined {
  return ioctlsOf(dialect).find((row) => row.fds.includes(fd) && matches(row, number));
}

/** {@link findIoctl}, with the number itself where it means nothing. */
export function ioctlOf(dialect: IoctlDialect, fd: FdKind, number: number): IoctlRow | Unknown {
  return findIoctl(dialect, fd, number) ?? { unknown: number };
}

/** The row of a name (`MSHV_CREATE_VP`, also without MSHV_) on that kind of descriptor. */
export function ioctlNamed(dialect: IoctlDialect, fd: FdKind, name: string): IoctlRow | undefined {
  const full = name.startsWith('MSHV_') ? name : `MSHV_${name}`;
  return ioctlsOf(dialect).find((row) => row.fds.includes(fd) && row.name === full);
}

/** Every meaning that a request number has, over all dialects and kinds of descriptor. */
export function meaningsOfIoctl(number: number): readonly IoctlRow[] {
  return allIoctls().filter((row) => matches(row, number));
}
