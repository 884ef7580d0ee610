import { useSignal } from '@preact/signals';
import { useRef } from 'preact/hooks';
import type { Arrangement } from './arrange.ts';
import { recall, remember } from './remember.ts';
import { Stack } from './stack.tsx';

/** No part becomes smaller than this. */
const LEAST = 0.08;
const KEY_STEP = 0.02;

/** Draws an arrangement. */
export function Arranged({ arrangement }: { readonly arrangement: Arrangement }) {
  return arrangement.kind === 'stack' ? (
    <Stack panels={arrangement.panels} />
  ) : (
    <Split key={arrangement.id} split={arrangement} />
  );
}

function Split({ split }: { readonly split: Arrangement & { readonly kind: 'split' } }) {
  const { id, along, parts } = split;
  const box = useRef<HTMLDivElement>(null);
  const first = useSignal(recall(id, split.first));
  const set = (share: number): void => {
    first.value = Math.min(1 - LEAST, Math.max(LEAST, share));
    remember(id, first.peek());
  };
  const onPointerMove = (event: PointerEvent): void => {
    const bar = event.currentTarget;
    const area = box.current?.getBoundingClientRect();
    if (!(bar instanceof HTMLElement) || !bar.hasPointerCapture(event.pointerId) || area === undefined)
      return;
    set(
      along === 'row' ? (event.clientX - area.left) / area.width : (event.clientY - area.top) / area.height,
    );
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const [less, more] = along === 'row' ? ['ArrowLeft', 'ArrowRight'] : ['ArrowUp', 'ArrowDown'];
    const by = event.key === less ? -KEY_STEP : event.key === more ? KEY_STEP : undefined;
    if (event.key === 'Enter') set(split.first);
    else if (by !== undefined) set(first.peek() + by);
    else return;
    event.preventDefault();
  };
  return (
    <div class="split" data-along={along} ref={box}>
      <div class="split-part" style={{ flexGrow: first.value }}>
        <Arranged arrangement={parts[0]} />
      </div>
      <div
        class="split-bar"
        role="separator"
        tabIndex={0}
        aria-label={`size of ${id.replace('-', ' ')}`}
        aria-orientation={along === 'row' ? 'vertical' : 'horizontal'}
        aria-valuemin={LEAST * 100}
        aria-valuemax={(1 - LEAST) * 100}
        aria-valuenow={Math.round(first.value * 100)}
        onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
        onPointerMove={onPointerMove}
        onDblClick={() => set(split.first)}
        onKeyDown={onKeyDown}
      />
      <div class="split-part" style={{ flexGrow: 1 - first.value }}>
        <Arranged arrangement={parts[1]} />
      </div>
    </div>
  );
}
