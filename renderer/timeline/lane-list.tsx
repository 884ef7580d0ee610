import { type ReadonlySignal, type Signal, useSignal } from '@preact/signals';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { compareAddresses, parseAddress } from '../../engine/trace/position.ts';
import { useModel } from '../model/model.ts';
import type { LaneScene, Scene } from './scene.ts';

interface LaneListProps {
  readonly scene: ReadonlySignal<Scene>;
  readonly scrollPx: Signal<number>;
}

/** The lanes by name: scrolls them, and is the keyboard's way through the timeline. */
export function LaneList({ scene, scrollPx }: LaneListProps) {
  const model = useModel();
  const list = useRef<HTMLDivElement>(null);
  const chosen = useSignal(0);
  const focused = useSignal(false);
  const { lanes, lanePx } = scene.value;
  const active = Math.min(chosen.value, lanes.length - 1);

  useLayoutEffect(() => {
    if (list.current !== null) list.current.scrollTop = scrollPx.value;
  }, [scrollPx.value]);

  const choose = (lane: number): void => {
    chosen.value = Math.min(Math.max(lane, 0), lanes.length - 1);
    document.getElementById(`lane-${chosen.peek()}`)?.scrollIntoView({ block: 'nearest' });
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return;
    if (event.key === 'ArrowDown') choose(active + 1);
    else if (event.key === 'ArrowUp') choose(active - 1);
    else if (event.key === 'ArrowRight' || event.key === 'ArrowLeft') {
      const at = neighbour(lanes[active], model.view.at.peek(), event.key === 'ArrowRight' ? 1 : -1);
      if (at === undefined) model.notice.value = 'no more events that way in this lane; zoom out for more';
      else model.jump(at);
    } else return;
    event.preventDefault();
  };
  return (
    <div class="lanes">
      <div class="lanes-corner dim" aria-hidden="true">
        {model.view.axis.value === 'events' ? 'event' : 'time'}
      </div>
      <div
        ref={list}
        class="lanes-list"
        role="listbox"
        tabIndex={0}
        data-focus="main"
        aria-label="Lanes of the timeline; left and right step through the events of a lane"
        aria-activedescendant={focused.value && lanes.length > 0 ? `lane-${active}` : undefined}
        onScroll={(event) => {
          scrollPx.value = event.currentTarget.scrollTop;
        }}
        onFocus={() => {
          focused.value = true;
        }}
        onBlur={() => {
          focused.value = false;
        }}
        onKeyDown={onKeyDown}
      >
        {lanes.map((lane, i) => (
          <div
            key={lane.id}
            id={`lane-${i}`}
            class="lane"
            role="option"
            aria-selected={focused.value && i === active}
            aria-label={laneText(lane)}
            data-dimmed={lane.dimmed}
            style={{ height: `${lanePx}px`, lineHeight: `${lanePx - 1}px` }}
            title={laneText(lane)}
            onClick={() => choose(i)}
          >
            <span>{lane.label}</span>
            <span class="dim value">{lane.count}</span>
          </div>
        ))}
      </div>
    </div>
  );
}

function laneText({ label, count, failed, dimmed }: LaneScene): string {
  const events = count === 1 ? '1 event' : `${count} events`;
  return `${label}: ${events} in sight, ${failed} failed${dimmed ? ', not part of the finding' : ''}`;
}

/** The event of the lane before or after a position, as far as the buckets in sight tell. */
function neighbour(lane: LaneScene | undefined, at: string, direction: -1 | 1): string | undefined {
  const cursor = parseAddress(at);
  if (lane === undefined || cursor === undefined) return undefined;
  const after = (mark: { readonly at: string }): number => {
    const place = parseAddress(mark.at);
    return place === undefined ? 0 : compareAddresses(place, cursor) * direction;
  };
  const marks = lane.marks.filter((mark) => after(mark) > 0);
  return (direction === 1 ? marks[0] : marks.at(-1))?.at;
}
