import { allIoctls } from '../../abi/index.ts';

/** The request numbers of an ioctl, in all dialects. They mean it on its own kind of handle alone. */
export function requests(name: string): readonly number[] {
  return allIoctls().flatMap((row) => (row.name === name && row.number !== undefined ? [row.number] : []));
}

export const RUN_VP = requests('MSHV_RUN_VP');

/** A signal has come while the call waited. */
export const EINTR = -4;
