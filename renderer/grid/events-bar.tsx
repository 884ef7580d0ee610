import { problemOf } from '../data/pages.ts';
import { useModel } from '../model/model.ts';
import { FilterBox } from './filter-box.tsx';

/** Above the list: the filter, the switch for derived events, and how many there are. */
export function EventsBar() {
  const model = useModel();
  const { derived } = model.view;
  const total = model.pages.value.total.value;
  return (
    <>
      <FilterBox
        id="filter"
        label="Filter of events"
        placeholder="filter:  msr == SCONTROL && component == mshv   ( / )"
        filter={model.view.filter}
        panel="events"
        test={(filter) => {
          const list = { filter, derived: derived.peek(), from: 0, count: 1 };
          return problemOf(model.app.invoke('events', list));
        }}
      />
      <label class="switch" title="events that the engine worked out ( d )">
        <input
          type="checkbox"
          checked={derived.value}
          onChange={() => {
            derived.value = !derived.peek();
          }}
        />
        derived
      </label>
      <span class="count" role="status">
        {total === undefined ? '…' : `${total} ${total === 1 ? 'event' : 'events'}`}
      </span>
    </>
  );
}
