import type { ExitGroup } from '../../engine/app/api-exits.ts';
import { useModel } from '../model/model.ts';
import { Name } from '../widgets/name.tsx';
import { timeText } from '../widgets/time.ts';
import { aboutOf } from './words.ts';

/** Exits counted by what they are about; a press shows only those, another one all again. */
export function Groups({ groups }: { readonly groups: readonly ExitGroup[] }) {
  const model = useModel();
  const { exitFilter } = model.view;
  return (
    <div class="exit-groups" tabIndex={0} role="region" aria-label="exits by what the guest touched">
      <ul>
        {groups.map((group) => {
          const pressed = group.filter !== '' && exitFilter.value === group.filter;
          return (
            <li key={`${group.type} ${aboutOf(group)}`}>
              <button
                type="button"
                class="exit-group"
                aria-pressed={pressed}
                disabled={group.filter === ''}
                title={titleOf(group)}
                onClick={() => {
                  exitFilter.value = pressed ? '' : group.filter;
                }}
              >
                <span class="value exit-count">{group.count}</span>
                <span class="exit-about">
                  <Name text={aboutOf(group)} />
                </span>
                <span class="value dim exit-took">{timeText(group.ranNs)}</span>
                <span class="value dim exit-took">{timeText(group.answeredNs)}</span>
              </button>
            </li>
          );
        })}
      </ul>
    </div>
  );
}

function titleOf(group: ExitGroup): string {
  const lines = [
    group.type ?? 'no message',
    `the guest ran ${timeText(group.ranNs)} in all, the VMM took ${timeText(group.answeredNs)}`,
  ];
  return lines.join('\n');
}
