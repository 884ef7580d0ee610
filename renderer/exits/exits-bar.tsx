import { problemOf } from '../data/pages.ts';
import { FilterBox } from '../grid/filter-box.tsx';
import { goToExit } from '../model/go.ts';
import { useModel } from '../model/model.ts';
import { timesText } from './words.ts';

/** Above the exits: their filter, how many there are, and steps to the previous and the next one. */
export function ExitsBar() {
  const model = useModel();
  const all = model.exitGroups.value.value?.total;
  const total = all === 0 ? 0 : model.exits.value.total.value;
  const step = async (direction: -1 | 1): Promise<void> => {
    model.notice.value = (await goToExit(model, direction)) ?? '';
  };
  return (
    <>
      <FilterBox
        id="exit-filter"
        label="Filter of VP exits"
        placeholder="filter:  payload.port_number == 0x3f8   ( / )"
        filter={model.view.exitFilter}
        panel="exits"
        test={(filter) => problemOf(model.app.invoke('exits', { filter, from: 0, count: 1 }))}
      />
      <span class="count" role="status">
        {total === undefined ? '…' : timesText(total, 'exit')}
      </span>
      <div class="segments" role="group" aria-label="steps">
        <button
          type="button"
          aria-label="previous exit"
          title="previous exit ( Shift+E )"
          onClick={() => step(-1)}
        >
          ◂
        </button>
        <button type="button" aria-label="next exit" title="next exit ( e )" onClick={() => step(1)}>
          ▸
        </button>
      </div>
    </>
  );
}
