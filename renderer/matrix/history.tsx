import { useLayoutEffect, useRef } from 'preact/hooks';
import type { WriteView } from '../../engine/app/api.ts';
import { compareAddresses, parseAddress } from '../../engine/trace/position.ts';
import { WhyButton } from '../blame/why-button.tsx';
import { goToChange } from '../model/go.ts';
import { useModel } from '../model/model.ts';
import { Owner } from '../widgets/owner.tsx';

/** Every write of the selected cell, oldest first; the one that is in force at the cursor is marked. */
export function History() {
  const model = useModel();
  const { path, at } = model.view;
  const answer = model.history.answer.value;
  const history = model.history.value.value;
  const problem = model.history.problem.value;
  const list = useRef<HTMLOListElement>(null);
  const writes = history?.writes ?? [];
  const now = inForce(writes, at.value);
  useLayoutEffect(() => {
    const item = list.current?.children[now];
    item?.scrollIntoView({ block: 'nearest', inline: 'center' });
  }, [now, writes]);
  return (
    <section class="history" data-path={answer?.input.path} aria-label={`writes of ${path.value}`}>
      <div class="history-head">
        <span class="value history-path" data-copy={path.value}>
          {path.value}
        </span>
        <span class="dim">
          {problem ?? (history === undefined ? '…' : writesText(history.total, writes.length))}
        </span>
        <WhyButton of={path.value} />
        <button
          type="button"
          disabled={history?.previous === undefined}
          title="previous write ( [ )"
          onClick={() => goToChange(model, -1)}
        >
          ◂ previous
        </button>
        <button
          type="button"
          disabled={history?.next === undefined}
          title="next write ( ] )"
          onClick={() => goToChange(model, 1)}
        >
          next ▸
        </button>
        <button
          type="button"
          aria-label="close the history"
          title="close"
          onClick={() => {
            path.value = '';
          }}
        >
          ✕
        </button>
      </div>
      <ol class="history-writes" ref={list}>
        {writes.map((write, i) => (
          <li key={`${write.at} ${i}`}>
            <button
              type="button"
              class="write"
              data-at={write.at}
              data-copy={write.now}
              data-later={i > now}
              aria-current={i === now}
              onClick={() => model.jump(write.at === '0' ? '0' : write.at)}
            >
              <span class="write-who">
                <span class="value">{write.at}</span> <Owner component={write.component} />
              </span>
              <span class="value">
                <span class="dim">{write.old ?? '?'}</span> → {write.now}
              </span>
            </button>
          </li>
        ))}
      </ol>
    </section>
  );
}

function writesText(total: number, shown: number): string {
  const all = total === 1 ? '1 write' : `${total} writes`;
  return shown < total ? `${all}, ${shown} around the cursor` : all;
}

/** Index of the last write at or before the cursor; -1 before the first. */
function inForce(writes: readonly WriteView[], at: string): number {
  const cursor = parseAddress(at);
  if (cursor === undefined) return -1;
  return writes.findLastIndex((write) => {
    const place = parseAddress(write.at);
    return place !== undefined && compareAddresses(place, cursor) <= 0;
  });
}
