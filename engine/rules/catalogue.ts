import { absentPartition } from './absent-partition.ts';
import { answerCannotCome } from './answer-cannot-come.ts';
import { asyncCalls } from './async-calls.ts';
import { busyVp } from './busy-vp.ts';
import { callGeometry } from './call-geometry.ts';
import { crashReport } from './crash-report.ts';
import { decoderIntegrity } from './decoder-integrity.ts';
import { depositProtocol } from './deposit-protocol.ts';
import { depositedPages } from './deposited-pages.ts';
import { exitHandling } from './exit-handling.ts';
import { failedCalls } from './failed-calls.ts';
import { featureGates } from './feature-gates.ts';
import { gpaMap } from './gpa-map.ts';
import { hypercallWithoutInterface } from './hypercall-without-interface.ts';
import { identifierDomains } from './identifier-domains.ts';
import { identityFirst } from './identity-first.ts';
import { interceptAccess } from './intercept-access.ts';
import { interceptMessage } from './intercept-message.ts';
import { interceptSuspend } from './intercept-suspend.ts';
import { interruptRoutes } from './interrupt-routes.ts';
import { largePages } from './large-pages.ts';
import { liveConnection } from './live-connection.ts';
import { lostWakeUp } from './lost-wake-up.ts';
import { messageSlots } from './message-slots.ts';
import { overlays } from './overlays.ts';
import { overlaysCollide } from './overlays-collide.ts';
import { pageBeyondMemory } from './page-beyond-memory.ts';
import { pageOutlivesOwner } from './page-outlives-owner.ts';
import { isolatedPages } from './page-states.ts';
import { pairing } from './pairing.ts';
import { partitionPhase } from './partition-phase.ts';
import { passedCalls } from './passed-calls.ts';
import { possibleResults } from './possible-results.ts';
import { processorGoes } from './processor-goes.ts';
import { registerCannotChange } from './register-cannot-change.ts';
import { registerPage } from './register-page.ts';
import { repProgress } from './rep-progress.ts';
import { reservedFields } from './reserved-fields.ts';
import { resultDiscipline } from './result-discipline.ts';
import type { Rule } from './rule.ts';
import { saveRestoreReset } from './save-restore-reset.ts';
import { sharedOwnership } from './shared-ownership.ts';
import { synicLeftOn } from './synic-left-on.ts';
import { synicOrder } from './synic-order.ts';
import { unusableTimer } from './unusable-timer.ts';
import { valueDomains } from './value-domains.ts';
import { vpStopped } from './vp-stopped.ts';

/** All rules. Root causes stand before the rules whose findings may follow from them. */
export const RULES: readonly Rule[] = [
  decoderIntegrity,
  reservedFields,
  sharedOwnership,
  synicOrder,
  processorGoes,
  pageOutlivesOwner,
  synicLeftOn,
  depositProtocol,
  partitionPhase,
  absentPartition,
  identityFirst,
  hypercallWithoutInterface,
  overlays,
  overlaysCollide,
  saveRestoreReset,
  crashReport,
  callGeometry,
  valueDomains,
  identifierDomains,
  answerCannotCome,
  registerCannotChange,
  possibleResults,
  passedCalls,
  resultDiscipline,
  asyncCalls,
  repProgress,
  gpaMap,
  pairing,
  isolatedPages,
  largePages,
  interceptAccess,
  depositedPages,
  failedCalls,
  vpStopped,
  interruptRoutes,
  registerPage,
  interceptMessage,
  exitHandling,
  busyVp,
  unusableTimer,
  liveConnection,
  pageBeyondMemory,
  messageSlots,
  lostWakeUp,
  featureGates,
  interceptSuspend,
];
