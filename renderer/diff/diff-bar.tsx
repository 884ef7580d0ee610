import { useModel } from '../model/model.ts';

/** Above the two: with what the trace is compared, all rows or the differences, and steps from one to the next. */
export function DiffBar() {
  const model = useModel();
  const { comparing, view } = model;
  const against = comparing.against.value?.against;
  const place = comparing.place.value.value;
  const hasOther = model.info.value.value?.other !== undefined;
  const go = async (to: 'next' | 'previous' | 'first'): Promise<void> => {
    model.notice.value = (await comparing.go(to)) ?? '';
  };
  return (
    <>
      <div class="segments" role="group" aria-label="compare with">
        <button
          type="button"
          aria-pressed={against === 'trace'}
          disabled={!hasOther}
          title="the other trace ( a )"
          onClick={() => {
            view.against.value = 'trace';
          }}
        >
          other trace
        </button>
        <button
          type="button"
          aria-pressed={against === 'edits'}
          title="the edits of what-if ( a )"
          onClick={() => {
            view.against.value = 'edits';
          }}
        >
          edits
        </button>
      </div>
      <label class="switch" title="only the differences, with some rows around each ( o )">
        <input
          type="checkbox"
          checked={view.folded.value}
          onChange={(event) => {
            view.folded.value = event.currentTarget.checked;
          }}
        />
        only differences
      </label>
      <span class="count" role="status" aria-label="difference">
        {place === undefined ? '' : `${place.nth} of ${place.of}`}
      </span>
      <div class="segments" role="group" aria-label="steps">
        <button
          type="button"
          aria-label="first difference"
          title="first difference ( Shift+F )"
          onClick={() => go('first')}
        >
          ▸1
        </button>
        <button
          type="button"
          aria-label="previous difference"
          title="previous difference ( Shift+N )"
          onClick={() => go('previous')}
        >
          ◂
        </button>
        <button
          type="button"
          aria-label="next difference"
          title="next difference ( n )"
          onClick={() => go('next')}
        >
          ▸
        </button>
      </div>
    </>
  );
}
