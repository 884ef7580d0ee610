import { depositProtocol } from './deposit-protocol.ts';
import { depositedPages } from './deposited-pages.ts';
import { failedCalls } from './failed-calls.ts';
import { gpaMap } from './gpa-map.ts';
import { interceptAccess } from './intercept-access.ts';
import { isolatedPages } from './isolated-pages.ts';
import { largePages } from './large-pages.ts';
import { pageOutlivesOwner } from './page-outlives-owner.ts';
import { pairing } from './pairing.ts';
import { partitionPhase } from './partition-phase.ts';
import { repProgress } from './rep-progress.ts';
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
  repProgress,
  gpaMap,
  pairing,
  largePages,
  isolatedPages,
  interceptAccess,
  depositedPages,
  failedCalls,
];
