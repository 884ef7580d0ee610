import type { Context } from '../../machine/context.ts';
import { VMBUS } from '../cells/driver.ts';
import { driverState, isNested, isRoot } from '../kernel/objects.ts';

/** Which of the shared SynIC registers mshv takes for its own, and how it sets up its ring page. */
export interface Ownership {
  /** It switches SIMP, SIEFP and SCONTROL. */
  readonly managesSynic: boolean;
  /** The first version: a page is enabled once it is mapped. Later ones enable it first and undo that. */
  readonly mapsFirst: boolean;
  /** It allocates the ring page itself, as nobody provides one. */
  readonly allocatesRing: boolean;
}

/** Where the recording began mid-life VMBus may have been there without a trace. */
function vmbusExists(context: Context): boolean {
  const { profile, store } = context;
  const state = driverState(context, VMBUS);
  if (state === 'unseen' && profile.vmbus && profile.initial === 'unknown') store.doubt();
  return state === 'running';
}

/**
 * What mshv does with the SynIC that it shares with VMBus, by the version of the patch "mshv: limit SynIC
 * management to MSHV-owned resources". Before it: everything, always. v1: shared registers on a root only. v2:
 * only where VMBus cannot run. Merged (Linux 7.2 drivers/hv/mshv_synic.c): only while VMBus does not exist.
 * The ring page of an L1VH partition came with v2, and for v1 with the patch beside it that brought the reboot
 * notifier.
 */
export function ownershipOf(context: Context): Ownership {
  const { synicOwnership, rebootNotifier } = context.profile;
  const root = isRoot(context);
  switch (synicOwnership) {
    case 'before':
      return { managesSynic: true, mapsFirst: true, allocatesRing: false };
    case 'v1':
      return { managesSynic: root, mapsFirst: false, allocatesRing: !root && rebootNotifier === 'always' };
    case 'v2':
      return { managesSynic: root && !isNested(context), mapsFirst: false, allocatesRing: !root };
    case 'merged':
      return {
        managesSynic: !vmbusExists(context),
        mapsFirst: false,
        allocatesRing: !root,
      };
  }
}
