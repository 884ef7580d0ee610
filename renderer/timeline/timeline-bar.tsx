import { useModel } from '../model/model.ts';
import { fitRange, zoomRange } from '../model/range.ts';
import { AXES } from '../model/view.ts';

/** Above the timeline: its axis, and zoom for those who have no wheel. */
export function TimelineBar() {
  const model = useModel();
  const { axis, range } = model.view;
  return (
    <>
      <div class="segments" role="group" aria-label="axis">
        {AXES.map((name) => (
          <button
            key={name}
            type="button"
            aria-pressed={axis.value === name}
            title={`axis of ${name} ( x )`}
            onClick={() => {
              range.value = undefined;
              axis.value = name;
            }}
          >
            {name}
          </button>
        ))}
      </div>
      <div class="segments" role="group" aria-label="zoom">
        <button
          type="button"
          aria-label="zoom out"
          title="zoom out ( - )"
          onClick={() => zoomRange(model, 2)}
        >
          −
        </button>
        <button
          type="button"
          aria-label="zoom in"
          title="zoom in ( + )"
          onClick={() => zoomRange(model, 0.5)}
        >
          +
        </button>
        <button
          type="button"
          title="the whole trace ( 0 )"
          disabled={range.value === undefined}
          onClick={() => fitRange(model)}
        >
          fit
        </button>
      </div>
    </>
  );
}
