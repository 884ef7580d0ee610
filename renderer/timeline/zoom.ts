import { effect } from '@preact/signals';
import { type D3ZoomEvent, select, zoom, zoomIdentity, zoomTransform } from 'd3';
import type { Model } from '../model/model.ts';
import { setRange } from '../model/range.ts';

/** As far as it is worth to look into one event or one microsecond. */
const MOST_ZOOM = 1e8;

/**
 * Ties d3-zoom on the canvas to the range of the view, both ways. The wheel zooms where all lanes are in sight or a
 * key is held; else it is left to scroll them. Returns what undoes it.
 */
export function zoomTimeline(
  canvas: HTMLCanvasElement,
  model: Model,
  widthPx: () => number,
  lanesFit: () => boolean,
): () => void {
  const selection = select(canvas);
  const behaviour = zoom<HTMLCanvasElement, unknown>()
    .scaleExtent([1, MOST_ZOOM])
    .filter((event: MouseEvent | WheelEvent | TouchEvent) => {
      if (event instanceof WheelEvent)
        return lanesFit() || event.ctrlKey || event.altKey || event.deltaX !== 0;
      return !('button' in event) || event.button === 0;
    })
    .on('zoom', ({ transform, sourceEvent }: D3ZoomEvent<HTMLCanvasElement, unknown>) => {
      const all = model.extent.peek();
      if (sourceEvent === null || all === undefined) return;
      const width = widthPx();
      const perPx = (all.to - all.from) / width;
      setRange(model, {
        from: all.from + transform.invertX(0) * perPx,
        to: all.from + transform.invertX(width) * perPx,
      });
    });
  selection.call(behaviour).on('dblclick.zoom', null);
  const stop = effect(() => {
    const all = model.extent.value;
    const width = widthPx();
    if (all === undefined || width === 0) return;
    const { from, to } = model.view.range.value ?? all;
    behaviour.extent([
      [0, 0],
      [width, 1],
    ]);
    behaviour.translateExtent([
      [0, 0],
      [width, 1],
    ]);
    const k = (all.to - all.from) / (to - from);
    const x = -((from - all.from) / (all.to - all.from)) * width * k;
    const now = zoomTransform(canvas);
    if (Math.abs(now.k / k - 1) < 1e-9 && Math.abs(now.x - x) < 0.01) return;
    selection.call(behaviour.transform, zoomIdentity.translate(x, 0).scale(k));
  });
  return () => {
    stop();
    selection.on('.zoom', null);
  };
}
