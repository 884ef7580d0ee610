import { useModel } from '../model/model.ts';
import { useSeen } from '../widgets/seen.ts';
import { Exit } from './exit.tsx';
import { Groups } from './groups.tsx';
import { ExitList } from './list.tsx';

/** VP exits: counts, the list, and the one at the cursor. */
export function Exits() {
  const model = useModel();
  useSeen(model.exitsSeen);
  const groups = model.exitGroups.value.value;
  if (groups === undefined) return <p class="empty">…</p>;
  if (groups.total === 0) {
    return <p class="empty">No VP ran in this trace: it has no MSHV_RUN_VP.</p>;
  }
  return (
    <div class="exits">
      <Groups />
      <ExitList />
      <Exit />
    </div>
  );
}
