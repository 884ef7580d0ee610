import { depositProtocol } from './deposit-protocol.ts';
import { pageOutlivesOwner } from './page-outlives-owner.ts';
import { partitionPhase } from './partition-phase.ts';
import { reservedFields } from './reserved-fields.ts';
import type { Rule } from './rule.ts';
import { sharedOwnership } from './shared-ownership.ts';
import { synicOrder } from './synic-order.ts';

/** All rules. Root causes stand before the rules whose findings may follow from them. */
export const RULES: readonly Rule[] = [
  reservedFields,
  sharedOwnership,
  synicOrder,
  pageOutlivesOwner,
  depositProtocol,
  partitionPhase,
];
