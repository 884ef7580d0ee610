import type { DeedView } from '../../engine/app/api-machine.ts';
import { Name } from '../widgets/name.tsx';
import { Owner } from '../widgets/owner.tsx';
import { Position } from '../widgets/position.tsx';

/** A change: the event that made it, who did it, and the call that it was part of. */
export function Deed({ deed }: { readonly deed: DeedView | undefined }) {
  if (deed === undefined) return <span class="dim">–</span>;
  return (
    <span class="deed" title={`${deed.op}, part of ${deed.cause} at ${deed.causeAt}`}>
      <Position at={deed.at} label={`go to ${deed.at}, ${deed.op}`} />
      <Owner component={deed.component} short />
      <span class="dim deed-cause">
        <Name text={deed.cause} />
      </span>
    </span>
  );
}

/** Changed by the event at the cursor. */
export function Changed({ changed }: { readonly changed: boolean }) {
  if (!changed) return undefined;
  return (
    <b class="changed" role="img" aria-label="changed">
      Δ{' '}
    </b>
  );
}

/** Still there at the end of the trace. */
export function Left({ left }: { readonly left: boolean }) {
  if (!left) return undefined;
  return (
    <span class="left" title="it still exists when the trace ends">
      <b aria-hidden="true">!</b> left at the end
    </span>
  );
}
