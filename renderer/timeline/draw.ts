import { glyphOf, kindOf } from '../theme/glyphs.ts';
import type { Palette } from '../theme/palette.ts';
import { AXIS_PX, GLYPH_PX, type LaneScene, type Mark, type Scene, STRIP_PX, TOP_PX } from './scene.ts';
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

const LABEL_GAP_PX = 6;
/** Smaller signs have no room for their letter. */
const LETTER_PX = 12;
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
  drawSignLines(context, drawing);
  drawCursor(context, drawing);
  for (const [i, lane] of drawing.scene.lanes.entries()) drawLane(context, drawing, lane, laneY(drawing, i));
  drawArrows(context, drawing);
  context.restore();
  drawSigns(context, drawing);
  drawFlags(context, drawing);
  drawCursorLabel(context, drawing);
}

/** Upper edge of a lane. */
function laneY({ scene, scrollPx }: Drawing, lane: number): number {
  return TOP_PX + lane * scene.lanePx - scrollPx;
}

function drawTicks(
  context: CanvasRenderingContext2D,
  { ticks, x, heightPx, widthPx, palette }: Drawing,
): void {
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  let free = 0;
  for (const { at, label } of ticks) {
    const place = Math.round(x(at)) + 0.5;
    context.strokeStyle = palette.line;
    context.lineWidth = 1;
    line(context, place, AXIS_PX, place, heightPx);
    const half = context.measureText(label).width / 2;
    // Labels at the edges are moved inside, if they do not run into the one before.
    const middle = Math.min(Math.max(place, half + 2), widthPx - half - 2);
    if (middle - half < free) continue;
    free = middle + half + LABEL_GAP_PX;
    context.fillStyle = palette.dim;
    context.fillText(label, middle, AXIS_PX / 2);
  }
  context.strokeStyle = palette.line;
  line(context, 0, AXIS_PX - 0.5, widthPx, AXIS_PX - 0.5);
  line(context, 0, TOP_PX - 0.5, widthPx, TOP_PX - 0.5);
}

function drawLane(context: CanvasRenderingContext2D, drawing: Drawing, lane: LaneScene, y: number): void {
  const { widthPx, heightPx, palette } = drawing;
  const { lanePx } = drawing.scene;
  if (y > heightPx || y + lanePx < TOP_PX) return;
  context.strokeStyle = palette.line;
  context.lineWidth = 1;
  line(context, 0, y + lanePx - 0.5, widthPx, y + lanePx - 0.5);
  context.globalAlpha = lane.dimmed ? DIMMED : 1;
  for (const mark of lane.marks) {
    if (mark.x < -GLYPH_PX || mark.x > widthPx + GLYPH_PX) continue;
    if (mark.glyphPx > 0) drawGlyph(context, drawing, mark, y);
    else drawBar(context, drawing, mark, y);
  }
  context.globalAlpha = 1;
}

function drawGlyph(
  context: CanvasRenderingContext2D,
  { palette, font, ratio, scene: { lanePx } }: Drawing,
  mark: Mark,
  y: number,
): void {
  const { letter } = glyphOf(mark.kind);
  const size = mark.glyphPx;
  const [left, top] = [mark.x - size / 2, y + (lanePx - size) / 2];
  context.save();
  context.translate(left, top);
  context.scale(size / GLYPH_BOX, size / GLYPH_BOX);
  const colour = palette.kinds[kindOf(mark.kind)];
  context.fillStyle = mark.derived ? palette.panel : colour;
  context.fill(shapeOf(mark.kind));
  if (mark.derived) {
    // Hollow: the engine worked it out.
    context.strokeStyle = colour;
    context.lineWidth = 1.6;
    context.stroke(shapeOf(mark.kind));
  }
  context.restore();
  if (mark.failed > 0) drawCross(context, palette, mark.x + size / 2, top + 1);
  if (size < LETTER_PX) return;
  context.fillStyle = mark.derived ? colour : palette.panel;
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  context.font = `bold 9px ${font.slice(font.indexOf(' ') + 1)}`;
  context.fillText(mark.count > 1 ? countText(mark.count) : letter, mark.x, y + lanePx / 2 + 1 / ratio);
  context.font = font;
}

/** How many events a sign stands for, in one character. */
function countText(count: number): string {
  return count > 9 ? '+' : String(count);
}

function drawBar(
  context: CanvasRenderingContext2D,
  { palette, scene: { lanePx } }: Drawing,
  mark: Mark,
  y: number,
): void {
  const room = lanePx - 5;
  const height = Math.max(3, Math.round(mark.height * room));
  const [left, foot] = [mark.x - mark.widthPx / 2, y + lanePx - 2];
  const width = Math.max(1, mark.widthPx - 0.5);
  context.fillStyle = palette.kinds[kindOf(mark.kind)];
  if (mark.derived) {
    // Hollow as well, where that can be seen: its sides and its head.
    context.globalAlpha *= 0.5;
    context.fillRect(left, foot - height, width, height);
    context.globalAlpha *= 2;
    context.fillRect(left, foot - height, width, 2);
  } else context.fillRect(left, foot - height, width, height);
  if (mark.failed === 0) return;
  // The part that failed, from the foot: with one failure in a hundred a whole bar in red would say nothing.
  const failed = Math.round((height * mark.failed) / mark.count);
  context.fillStyle = palette.error;
  context.fillRect(left, foot - failed, width, failed);
  if (mark.failed === mark.count) drawCross(context, palette, mark.x, y + 4);
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

const SIGN_TEXT = { divergence: '≠', gap: '⌇', note: 'N' } as const;

/** Divergences, gaps and notes in the strip: each with its own sign, so that colour does not stand alone. */
function drawSigns(context: CanvasRenderingContext2D, { scene, palette, font }: Drawing): void {
  const middle = AXIS_PX + STRIP_PX / 2;
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  context.font = `bold 13px ${font.slice(font.indexOf(' ') + 1)}`;
  for (const { x, what } of scene.signs) {
    context.fillStyle = signColour(palette, what);
    context.fillText(SIGN_TEXT[what], x, middle);
  }
  context.font = font;
}

/** What was lost, and where the record differs, can be seen over all lanes. */
function drawSignLines(context: CanvasRenderingContext2D, { scene, heightPx, palette }: Drawing): void {
  context.lineWidth = 1;
  context.setLineDash([5, 3]);
  for (const { x, what } of scene.signs) {
    if (what === 'note') continue;
    context.strokeStyle = signColour(palette, what);
    line(context, Math.round(x) + 0.5, TOP_PX, Math.round(x) + 0.5, heightPx);
  }
  context.setLineDash([]);
}

function signColour(palette: Palette, what: 'divergence' | 'gap' | 'note'): string {
  if (what === 'divergence') return palette.error;
  return what === 'gap' ? palette.warning : palette.kinds.mark;
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
    const text = `${finding.rule} ${finding.culprit.component}`;
    const left = labelPlace(scene, x, context.measureText(text).width);
    if (left === undefined) continue;
    context.textAlign = 'left';
    context.textBaseline = 'middle';
    context.fillText(text, left, middle + 0.5);
  }
}

/** Where a flag's label covers no other flag: right of it, else left, else nowhere. */
function labelPlace(scene: Scene, x: number, width: number): number | undefined {
  return [x + 10, x - 10 - width].find((left) =>
    scene.flags.every((flag) => flag.x === x || flag.x < left - 6 || flag.x > left + width + 6),
  );
}

function drawArrows(context: CanvasRenderingContext2D, drawing: Drawing): void {
  const { scene, palette } = drawing;
  const { lanePx } = scene;
  context.strokeStyle = palette.accent;
  context.fillStyle = palette.accent;
  context.lineWidth = 1.25;
  for (const { fromX, fromLane, toX, toLane } of scene.arrows) {
    const fromY = laneY(drawing, fromLane) + lanePx / 2;
    const toY = laneY(drawing, toLane) + lanePx / 2;
    const bend = fromLane === toLane ? -lanePx * 0.8 : 0;
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

/** The line of the cursor lies behind the signs, so as not to hide the one that it stands on. */
function drawCursor(context: CanvasRenderingContext2D, { scene, heightPx, palette }: Drawing): void {
  if (scene.cursor === undefined) return;
  const x = Math.round(scene.cursor) + 0.5;
  context.strokeStyle = palette.accent;
  context.lineWidth = 1.5;
  line(context, x, TOP_PX, x, heightPx);
}

function drawCursorLabel(context: CanvasRenderingContext2D, { scene, widthPx, palette, at }: Drawing): void {
  if (scene.cursor === undefined || scene.cursor < -1 || scene.cursor > widthPx + 1) return;
  const x = Math.round(scene.cursor) + 0.5;
  context.strokeStyle = palette.accent;
  context.lineWidth = 1.5;
  line(context, x, AXIS_PX - 3, x, TOP_PX);
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
