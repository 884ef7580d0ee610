import { singleCellKind } from '../../state/schema.ts';
import { CPU } from './cpu.ts';
import { VP } from './vp.ts';

/** `cpu[0].eventFlags[64]`: 64 flags of a SIEF page; the key is SINT * 32 + word, 512 more in the nested file. */
export const EVENT_FLAGS = singleCellKind('eventFlags', CPU, 'decimal', 'hex');

/** The same of a VP. */
export const VP_EVENT_FLAGS = singleCellKind('eventFlags', VP, 'decimal', 'hex');
