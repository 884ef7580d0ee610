import type { DescriptorLife, PartitionLife } from '../../engine/app/api-machine.ts';

/** Map flags in short, in the order of the hypervisor's bits: `R W KX UX`; flags without a short form as they are. */
export function flagsText(flags: readonly string[]): string {
  return flags.map((flag) => SHORT[flag] ?? flag.toLowerCase()).join(' ') || 'none';
}

const SHORT: Readonly<Record<string, string>> = {
  READABLE: 'R',
  WRITABLE: 'W',
  KERNEL_EXECUTABLE: 'KX',
  USER_EXECUTABLE: 'UX',
  NO_ACCESS: 'no access',
};

export function pagesText(pages: number): string {
  return pages === 1 ? '1 page' : `${pages} pages`;
}

/** What still exists when the trace ends, in a few words; empty for nothing. */
export function leftText(
  partitions: readonly PartitionLife[],
  descriptors: readonly DescriptorLife[],
): string {
  const parts = partitions.filter(({ left }) => left).map(({ id }) => `partition ${id}`);
  const vps = partitions.flatMap((life) => life.vps.filter(({ left }) => left).map(({ vp }) => `VP ${vp}`));
  const open = descriptors.filter(({ left }) => left).length;
  return [
    ...parts,
    ...vps,
    ...(open === 0 ? [] : [open === 1 ? '1 descriptor' : `${open} descriptors`]),
  ].join(', ');
}
