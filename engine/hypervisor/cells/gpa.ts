import { setOf } from '../../abi/index.ts';
import { cell, objectKind } from '../../state/schema.ts';
import { PARTITION } from './partition.ts';

function mapFlagNames(): readonly string[] {
  const set = setOf('mapGpaFlags');
  if (set?.kind !== 'flags') throw new Error('mapGpaFlags is not a set of flags');
  const names = Array.from({ length: 32 }, (_, bit) => `bit${bit}`);
  for (const { mask, name } of set.flags) {
    for (let bit = 0; bit < 32; bit++) if (mask === 1n << BigInt(bit)) names[bit] = name;
  }
  return names;
}

/**
 * `partition[2].gpa[0x100]`: guest page frames from that one on which are mapped alike. Neighbours with the same
 * flags are one run, so that guest memory of any size is a few cells. Which frames back them is not kept.
 */
export const GPA = objectKind('gpa', PARTITION, 'hex', {
  pages: cell('dec'),
  flags: cell({ as: 'flags', names: mapFlagNames() }),
});

/** Bits of a page's state, as they are and which of them are known. */
const ACCESS_NAMES = ['accessed', 'dirty', 'bit2', 'bit3', 'accessed-known', 'dirty-known'];

/** `partition[2].access[0x100]`: guest page frames of whose accessed and dirty bits the same is known. */
export const GPA_ACCESS = objectKind('access', PARTITION, 'hex', {
  pages: cell('dec'),
  flags: cell({ as: 'flags', names: ACCESS_NAMES }),
});

/** `partition[2].memory[0x100]`: a guest page frame of whose contents the trace shows something. */
export const MEMORY = objectKind('memory', PARTITION, 'hex', { content: cell('bytes') });
