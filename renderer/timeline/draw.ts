import { glyphOf, kindOf } from '../theme/glyphs.ts';
import type { Palette } from '../theme/palette.ts';
import { AXIS_PX, LANE_PX, type LaneScene, type Mark, type Scene, STRIP_PX, TOP_PX } from './scene.ts';
import type { Tick } from './ticks.ts';

export interface Drawing {
  readonly scene: Scene;
  readonly ticks: readonly Tick[];
  /** Place on the axis to pixels. */
  x(place: number): number;
  readonly widthPx: number;
  readonly heightPx: number;
  readonly scrollPx: number;
  readonly ratio: number;
  readonly palette: Palette;
  readonly font: string;
  /** Position of the cursor, to stand beside its line. */
  readonly at: string;
}

const GLYPH_PX = 13;
const GLYPH_BOX = 16;
const DIMMED = 0.3;
const shapes = new Map<string, Path2D>();

/** Draws the timeline: ground, ticks, lanes, what findings say, causes, cursor. */
export function draw(context: CanvasRenderingContext2D, drawing: Drawing): void {
  const { widthPx, heightPx, ratio, palette, font } = drawing;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.font = font;
  context.fillStyle = palette.panel;
  context.fillRect(0, 0, widthPx, heightPx);
  drawTicks(context, drawing);
  context.save();
  context.beginPath();
  context.rect(0, TOP_PX, widthPx, heightPx - TOP_PX);
  context.clip();
  drawProof(context, drawing);
  for (const [i, lane] of drawing.scene.lanes.entries()) drawLane(context, drawing, lane, laneY(drawing, i));
  drawArrows(context, drawing);
  context.restore();
  drawFlags(context, drawing);
  drawCursor(context, drawing);
}

/** Upper edge of a lane. */
function laneY({ scrollPx }: Drawing, lane: number): number {
  return TOP_PX + lane * LANE_PX - scrollPx;
}

function drawTicks(
  context: CanvasRenderingContext2D,
  { ticks, x, heightPx, widthPx, palette }: Drawing,
): void {
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  for (const { at, label } of ticks) {
    const place = Math.round(x(at)) + 0.5;
    context.strokeStyle = palette.line;
    context.lineWidth = 1;
    line(context, place, AXIS_PX, place, heightPx);
    const half = context.measureText(label).width / 2;
    context.fillStyle = palette.dim;
    context.fillText(label, Math.min(Math.max(place, half + 2), widthPx - half - 2), AXIS_PX / 2);
  }
  context.strokeStyle = palette.line;
  line(context, 0, AXIS_PX - 0.5, widthPx, AXIS_PX - 0.5);
  line(context, 0, TOP_PX - 0.5, widthPx, TOP_PX - 0.5);
}

function drawLane(context: CanvasRenderingContext2D, drawing: Drawing, lane: LaneScene, y: number): void {
  const { widthPx, heightPx, palette } = drawing;
  if (y > heightPx || y + LANE_PX < TOP_PX) return;
  context.strokeStyle = palette.line;
  context.lineWidth = 1;
  line(context, 0, y + LANE_PX - 0.5, widthPx, y + LANE_PX - 0.5);
  context.globalAlpha = lane.dimmed ? DIMMED : 1;
  for (const mark of lane.marks) {
    if (mark.x < -GLYPH_PX || mark.x > widthPx + GLYPH_PX) continue;
    if (mark.glyph) drawGlyph(context, drawing, mark, y);
    else drawBar(context, palette, mark, y);
  }
  context.globalAlpha = 1;
}

function drawGlyph(
  context: CanvasRenderingContext2D,
  { palette, font, ratio }: Drawing,
  mark: Mark,
  y: number,
): void {
  const { letter } = glyphOf(mark.kind);
  const [left, top] = [mark.x - GLYPH_PX / 2, y + (LANE_PX - GLYPH_PX) / 2];
  context.save();
  context.translate(left, top);
  context.scale(GLYPH_PX / GLYPH_BOX, GLYPH_PX / GLYPH_BOX);
  context.fillStyle = palette.kinds[kindOf(mark.kind)];
  context.fill(shapeOf(mark.kind));
  context.restore();
  context.fillStyle = palette.panel;
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  context.font = `bold 9px ${font.slice(font.indexOf(' ') + 1)}`;
  context.fillText(mark.count > 1 ? countText(mark.count) : letter, mark.x, y + LANE_PX / 2 + 1 / ratio);
  context.font = font;
  if (mark.failed > 0) drawCross(context, palette, mark.x + GLYPH_PX / 2, top + 1);
}

/** How many events a sign stands for, in one character. */
function countText(count: number): string {
  return count > 9 ? '+' : String(count);
}

function drawBar(context: CanvasRenderingContext2D, palette: Palette, mark: Mark, y: number): void {
  const room = LANE_PX - 5;
  const height = Math.max(3, Math.round(mark.height * room));
  context.fillStyle = palette.kinds[kindOf(mark.kind)];
  context.fillRect(
    mark.x - mark.widthPx / 2,
    y + LANE_PX - 2 - height,
    Math.max(1, mark.widthPx - 0.5),
    height,
  );
  if (mark.failed > 0) drawCross(context, palette, mark.x, y + 4);
}

function drawCross(context: CanvasRenderingContext2D, palette: Palette, x: number, y: number): void {
  context.strokeStyle = palette.panel;
  context.lineWidth = 4;
  cross(context, x, y);
  context.strokeStyle = palette.error;
  context.lineWidth = 1.75;
  cross(context, x, y);
}

function cross(context: CanvasRenderingContext2D, x: number, y: number): void {
  line(context, x - 2.5, y - 2.5, x + 2.5, y + 2.5);
  line(context, x - 2.5, y + 2.5, x + 2.5, y - 2.5);
}

function drawProof(context: CanvasRenderingContext2D, { scene, heightPx, palette }: Drawing): void {
  context.strokeStyle = palette.error;
  context.globalAlpha = 0.35;
  context.lineWidth = 1;
  context.setLineDash([2, 3]);
  for (const x of scene.proof) line(context, Math.round(x) + 0.5, TOP_PX, Math.round(x) + 0.5, heightPx);
  context.setLineDash([]);
  context.globalAlpha = 1;
}

function drawFlags(context: CanvasRenderingContext2D, { scene, palette }: Drawing): void {
  const middle = AXIS_PX + STRIP_PX / 2;
  for (const { x, culprit, finding } of scene.flags) {
    context.fillStyle = palette[finding.severity];
    context.beginPath();
    if (culprit) {
      context.moveTo(x, middle - 6);
      context.lineTo(x + 6, middle + 5);
      context.lineTo(x - 6, middle + 5);
    } else context.arc(x, middle, 3, 0, 2 * Math.PI);
    context.fill();
    if (!culprit) continue;
    context.textAlign = 'left';
    context.textBaseline = 'middle';
    const text = `${finding.rule} ${finding.culprit.component}`;
    const width = context.measureText(text).width;
    context.fillStyle = palette.panel;
    context.fillRect(x + 8, AXIS_PX + 1, width + 4, STRIP_PX - 2);
    context.fillStyle = palette[finding.severity];
    context.fillText(text, x + 10, middle + 0.5);
  }
}

function drawArrows(context: CanvasRenderingContext2D, drawing: Drawing): void {
  const { scene, palette } = drawing;
  context.strokeStyle = palette.accent;
  context.fillStyle = palette.accent;
  context.lineWidth = 1.25;
  for (const { fromX, fromLane, toX, toLane } of scene.arrows) {
    const fromY = laneY(drawing, fromLane) + LANE_PX / 2;
    const toY = laneY(drawing, toLane) + LANE_PX / 2;
    const bend = fromLane === toLane ? -LANE_PX * 0.8 : 0;
    context.beginPath();
    context.moveTo(fromX, fromY + bend / 4);
    const middle = (fromX + toX) / 2;
    context.bezierCurveTo(middle, fromY + bend, middle, toY + bend, toX, toY + bend / 4);
    context.stroke();
    context.beginPath();
    context.arc(toX, toY + bend / 4, 2, 0, 2 * Math.PI);
    context.fill();
  }
}

function drawCursor(
  context: CanvasRenderingContext2D,
  { scene, heightPx, widthPx, palette, at }: Drawing,
): void {
  if (scene.cursor === undefined || scene.cursor < -1 || scene.cursor > widthPx + 1) return;
  const x = Math.round(scene.cursor) + 0.5;
  context.strokeStyle = palette.accent;
  context.lineWidth = 1.5;
  line(context, x, AXIS_PX - 3, x, heightPx);
  const width = context.measureText(at).width + 8;
  const left = Math.min(Math.max(x - width / 2, 0), widthPx - width);
  context.fillStyle = palette.accent;
  context.fillRect(left, 1, width, AXIS_PX - 4);
  context.fillStyle = palette.panel;
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  context.fillText(at, left + width / 2, AXIS_PX / 2 - 0.5);
}

function shapeOf(kind: string): Path2D {
  const name = kindOf(kind);
  const known = shapes.get(name) ?? new Path2D(glyphOf(kind).shape);
  shapes.set(name, known);
  return known;
}

function line(context: CanvasRenderingContext2D, x1: number, y1: number, x2: number, y2: number): void {
  context.beginPath();
  context.moveTo(x1, y1);
  context.lineTo(x2, y2);
  context.stroke();
}
