import { type Signal, useSignal, useSignalEffect } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { useFocusHere } from '../widgets/focus-here.ts';
import {
  heightPx,
  inSight,
  type ListSize,
  type Place,
  pageRows,
  revealing,
  scrolled,
  shifted,
  TOP,
} from './windowing.ts';

interface RowsProps {
  readonly id: string;
  readonly label: string;
  readonly role: 'grid' | 'treegrid';
  readonly columns: number;
  readonly count: number;
  readonly rowPx: number;
  /** Height of `head`, which stays in sight; 0 without one. */
  readonly headPx: number;
  readonly head?: ComponentChildren;
  /** Index of the row that the keyboard is on; undefined where none is. It is brought into sight when it changes. */
  readonly active: number | undefined;
  /**
   * Draws a row; its outermost element takes `props`, and `props.id` as its key. Elements are not used again for
   * other rows: they would be moved, and Chromium forgets the styles of what is changed and moved at once.
   */
  row(index: number, props: RowProps): ComponentChildren;
  /** The keyboard asks for a row: arrows, Page keys, Home, End. */
  onMove(index: number): void;
  onKeyDown?(event: KeyboardEvent): void;
  /** A new value: the same rows have moved by so many, and what is in sight stays. */
  readonly shift?: { readonly by: number } | undefined;
  /** Hears which rows are drawn. */
  onSight?(sight: { readonly from: number; readonly to: number }): void;
}

export interface RowProps {
  readonly id: string;
  readonly role: 'row';
  readonly 'aria-rowindex': number;
  readonly 'aria-selected': boolean;
  readonly style: { readonly transform: string };
}

/** A list of any length that draws the rows in sight, with one tab stop and the keyboard of a grid. */
export function Rows(props: RowsProps) {
  const scroller = useRef<HTMLDivElement>(null);
  const viewPx = useSignal(0);
  const place = useSignal<Place>(TOP);
  const { id, count, rowPx, headPx, active } = props;
  const size: ListSize = { count, rowPx, viewPx: Math.max(0, viewPx.value - headPx) };

  useFocusHere(scroller);
  useSize(scroller, viewPx);
  useReveal(active, size, place, props.shift);
  useSignalEffect(() => {
    const element = scroller.current;
    const { scrollPx } = place.value;
    if (element !== null && Math.abs(element.scrollTop - scrollPx) >= 1) element.scrollTop = scrollPx;
  });

  const onScroll = (): void => {
    const scrollPx = scroller.current?.scrollTop ?? 0;
    if (Math.abs(scrollPx - place.peek().scrollPx) >= 1) place.value = scrolled(size, place.peek(), scrollPx);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    props.onKeyDown?.(event);
    if (event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return;
    const target = moved(event.key, active ?? -1, count, pageRows(size));
    // Before the first page nobody knows how long the list is.
    if (target === undefined || count === 0) return;
    event.preventDefault();
    props.onMove(Math.min(Math.max(target, 0), count - 1));
  };

  const { from, to, topPx } = inSight(size, place.value);
  useLayoutEffect(() => props.onSight?.({ from, to }), [from, to]);
  const rows = [];
  for (let index = from; index < to; index++) {
    rows.push(
      props.row(index, {
        id: `${id}-${index}`,
        role: 'row',
        'aria-rowindex': index + (headPx > 0 ? 2 : 1),
        'aria-selected': index === active,
        style: { transform: `translateY(${topPx + (index - from) * rowPx}px)` },
      }),
    );
  }
  const inView = active !== undefined && active >= from && active < to;
  return (
    <div
      class="rows"
      ref={scroller}
      role={props.role}
      tabIndex={0}
      data-focus="main"
      aria-label={props.label}
      aria-rowcount={count + (headPx > 0 ? 1 : 0)}
      aria-colcount={props.columns}
      aria-activedescendant={inView ? `${id}-${active}` : undefined}
      onScroll={onScroll}
      onKeyDown={onKeyDown}
    >
      {props.head}
      <div class="rows-area" role="rowgroup" style={{ height: `${heightPx(size)}px` }}>
        {rows}
      </div>
    </div>
  );
}

function moved(key: string, active: number, count: number, page: number): number | undefined {
  switch (key) {
    case 'ArrowDown':
      return active + 1;
    case 'ArrowUp':
      return active - 1;
    case 'PageDown':
      return active + page;
    case 'PageUp':
      return active - page;
    case 'Home':
      return 0;
    case 'End':
      return count - 1;
    default:
      return undefined;
  }
}

function useSize(element: { readonly current: HTMLElement | null }, heightPx: Signal<number>): void {
  useLayoutEffect(() => {
    const target = element.current;
    if (target === null) return undefined;
    const measure = (): void => {
      heightPx.value = target.clientHeight;
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(target);
    return () => observer.disconnect();
  }, []);
}

/** Brings the active row into sight when it changes; where all rows have moved, moves with them. */
function useReveal(
  active: number | undefined,
  size: ListSize,
  place: Signal<Place>,
  shift: { readonly by: number } | undefined,
): void {
  const last = useRef(shift);
  useLayoutEffect(() => {
    if (shift !== undefined && shift !== last.current) {
      last.current = shift;
      place.value = shifted(size, place.peek(), shift.by);
      return;
    }
    if (active === undefined || size.viewPx === 0 || active >= size.count) return;
    place.value = revealing(size, place.peek(), active);
  }, [shift, active, size.count, size.viewPx]);
}
