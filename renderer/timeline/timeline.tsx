import { type Signal, useComputed, useSignal, useSignalEffect } from '@preact/signals';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { type Model, useModel } from '../model/model.ts';
import { eventAt } from '../model/place.ts';
import { showFinding } from '../model/show.ts';
import { palette } from '../theme/apply.ts';
import { Replaying } from '../widgets/answered.tsx';
import { timeText } from '../widgets/time.ts';
import { draw } from './draw.ts';
import { LaneList } from './lane-list.tsx';
import { buildScene, type Pointed, pointedAt, type Scene, TOP_PX } from './scene.ts';
import { ticksOf } from './ticks.ts';
import { zoomTimeline } from './zoom.ts';

/** Width of a bucket: fine enough for one event a column, coarse enough for answers of some kilobytes. */
const BUCKET_PX = 2;

interface Size {
  readonly widthPx: number;
  readonly heightPx: number;
}

interface Tip {
  readonly x: number;
  readonly y: number;
  readonly text: string;
}

/** Lanes along events or time. */
export function Timeline() {
  const model = useModel();
  const canvas = useRef<HTMLCanvasElement>(null);
  const size = useSignal<Size>({ widthPx: 0, heightPx: 0 });
  const scrollPx = useSignal(0);
  const tip = useSignal<Tip | undefined>(undefined);
  const scene = useComputed(() => sceneOf(model, size.value));

  useCanvasSize(canvas, size, model);
  useDrawing(canvas, size, scrollPx, scene, model);
  useLayoutEffect(() => {
    if (canvas.current === null) return undefined;
    return zoomTimeline(
      canvas.current,
      model,
      () => size.value.widthPx,
      () => scene.peek().lanes.length * scene.peek().lanePx <= size.peek().heightPx - TOP_PX,
    );
  }, []);

  const at = (event: MouseEvent) => pointedAt(scene.peek(), event.offsetX, event.offsetY, scrollPx.peek());
  return (
    <div class="timeline">
      <LaneList scene={scene} scrollPx={scrollPx} />
      <div class="timeline-canvas">
        <canvas
          ref={canvas}
          aria-hidden="true"
          onMouseMove={(event) => {
            const found = at(event);
            const text = found === undefined ? undefined : tipText(found);
            tip.value = text === undefined ? undefined : { x: event.offsetX, y: event.offsetY, text };
          }}
          onMouseLeave={() => {
            tip.value = undefined;
          }}
          onClick={(event) => {
            const found = at(event);
            if (found === undefined) return;
            if ('mark' in found) model.jump(found.mark.at);
            else if ('sign' in found) model.jump(found.sign.at);
            else if (model.shown.peek() === found.flag.finding) model.jump(found.flag.at);
            else showFinding(model, found.flag.finding);
          }}
          onWheel={(event) => {
            if (event.defaultPrevented) return;
            scrollPx.value = Math.max(0, scrollPx.peek() + event.deltaY);
          }}
        />
        {model.timeline.waiting.value ? <Replaying /> : undefined}
        {tip.value === undefined ? undefined : (
          <div
            class="tip"
            style={{
              left: `${Math.min(tip.value.x + 12, size.value.widthPx - 220)}px`,
              top: `${Math.max(0, Math.min(tip.value.y + 14, size.value.heightPx - 24))}px`,
            }}
          >
            {tip.value.text}
          </div>
        )}
      </div>
      <p class="hidden" role="status">
        {summaryOf(model)}
      </p>
    </div>
  );
}

function sceneOf(model: Model, { widthPx, heightPx }: Size): Scene {
  const { view } = model;
  const range = view.range.value ?? model.extent.value ?? { from: 0, to: 1 };
  const event = model.event.value.value;
  return buildScene({
    timeline: model.timeline.value.value,
    axis: view.axis.value,
    range,
    widthPx,
    heightPx,
    findings: model.findings.value.value?.findings ?? [],
    shown: model.shown.value,
    proofRows: model.proofRows.value,
    event: event?.row.at === eventAt(view.at.value) ? event : undefined,
  });
}

function tipText(pointed: Pointed): string {
  if ('flag' in pointed) {
    const { finding, at, culprit } = pointed.flag;
    return `${finding.rule} ${culprit ? 'culprit' : 'proof'} ${at}`;
  }
  if ('sign' in pointed) {
    const { what, at, text } = pointed.sign;
    return `${what} at ${at}: ${text}`;
  }
  const { lane, mark } = pointed;
  const failed = `${mark.derived ? ', derived' : ''}${mark.failed === 0 ? '' : `, ${mark.failed} failed`}`;
  return mark.count === 1
    ? `${mark.at} ${mark.kind}, ${lane.label}${failed}`
    : `${mark.count} events from ${mark.at}, ${lane.label}${failed}`;
}

/** What the canvas shows, in words. */
function summaryOf(model: Model): string {
  const all = model.extent.value;
  if (all === undefined) return '';
  const { from, to } = model.view.range.value ?? all;
  const finding = model.shown.value;
  const window =
    model.view.axis.value === 'events'
      ? `Timeline: events ${Math.max(1, Math.ceil(from))} to ${Math.floor(to)}`
      : `Timeline: ${timeText(from)} to ${timeText(to)}`;
  return finding === undefined ? window : `${window}, lanes of ${finding.rule} first`;
}

function useCanvasSize(
  canvas: { readonly current: HTMLCanvasElement | null },
  size: Signal<Size>,
  model: Model,
): void {
  useLayoutEffect(() => {
    const place = canvas.current?.parentElement;
    if (place === null || place === undefined) return undefined;
    const measure = (): void => {
      size.value = { widthPx: place.clientWidth, heightPx: place.clientHeight };
      model.buckets.value = Math.max(1, Math.floor(place.clientWidth / BUCKET_PX));
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(place);
    return () => observer.disconnect();
  }, []);
}

/** Draws once a frame, when anything that is drawn has changed. */
function useDrawing(
  canvas: { readonly current: HTMLCanvasElement | null },
  size: Signal<Size>,
  scrollPx: Signal<number>,
  scene: { readonly value: Scene },
  model: Model,
): void {
  const frame = useRef(0);
  useSignalEffect(() => {
    const { view } = model;
    const range = view.range.value ?? model.extent.value;
    const { widthPx, heightPx } = size.value;
    const drawing = {
      scene: scene.value,
      widthPx,
      heightPx,
      scrollPx: scrollPx.value,
      palette: palette.value,
      at: view.at.value,
    };
    const axis = view.axis.value;
    cancelAnimationFrame(frame.current);
    frame.current = requestAnimationFrame(() => {
      const element = canvas.current;
      const context = element?.getContext('2d', { alpha: false });
      if (element === null || context === null || context === undefined || range === undefined) return;
      const ratio = window.devicePixelRatio;
      const [width, height] = [Math.round(widthPx * ratio), Math.round(heightPx * ratio)];
      if (element.width !== width || element.height !== height) {
        element.width = width;
        element.height = height;
        element.style.width = `${widthPx}px`;
        element.style.height = `${heightPx}px`;
      }
      draw(context, {
        ...drawing,
        ratio,
        font: `11px ${getComputedStyle(element).fontFamily}`,
        ticks: ticksOf(axis, range, widthPx),
        x: (place) => ((place - range.from) / (range.to - range.from)) * widthPx,
      });
    });
  });
}
