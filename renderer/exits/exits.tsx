import { useModel } from '../model/model.ts';
import { Answered } from '../widgets/answered.tsx';
import { useSeen } from '../widgets/seen.ts';
import { Exit } from './exit.tsx';
import { Groups } from './groups.tsx';
import { ExitList } from './list.tsx';

/** VP exits: counts, the list, and the one at the cursor. */
export function Exits() {
  const model = useModel();
  useSeen(model.exitsSeen);
  return (
    <Answered slot={model.exitGroups}>
      {({ groups, total }) =>
        total === 0 ? (
          <p class="empty">No VP ran in this trace: it has no MSHV_RUN_VP.</p>
        ) : (
          <div class="exits">
            <Groups groups={groups} />
            <ExitList />
            <Exit />
          </div>
        )
      }
    </Answered>
  );
}
