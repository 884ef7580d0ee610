/**
 * Shape and letter of a kind of event. Shapes are SVG path data in a box of 16 x 16, so that the grid (SVG) and the
 * timeline (canvas, Path2D) draw the same ones.
 */
import { EVENT_KINDS, type EventKind } from '../../engine/trace/event.ts';

export interface Glyph {
  readonly letter: string;
  readonly shape: string;
  /** Name of the shape, for the legend and for those who do not see it. */
  readonly shapeName: string;
}

export const GLYPHS: Readonly<Record<EventKind, Glyph>> = {
  ioctl: { letter: 'I', shape: 'M1.5 1.5h13v13h-13z', shapeName: 'square' },
  hypercall: { letter: 'H', shape: 'M4.5 1h7L15.5 8l-4 7h-7L.5 8z', shapeName: 'hexagon' },
  msr: { letter: 'R', shape: 'M8 0l8 8-8 8-8-8z', shapeName: 'diamond' },
  message: { letter: 'S', shape: 'M8 .5a7.5 7.5 0 1 1 0 15a7.5 7.5 0 1 1 0-15z', shapeName: 'circle' },
  intercept: { letter: 'X', shape: 'M0 1h16L8 16z', shapeName: 'triangle' },
  fd: { letter: 'F', shape: 'M2 .5h8.5L14 4v11.5H2z', shapeName: 'sheet' },
  page: { letter: 'P', shape: 'M0 3h16v10H0z', shapeName: 'bar' },
  lifecycle: { letter: 'L', shape: 'M1 1.5h9L15.5 8 10 14.5H1z', shapeName: 'flag' },
  mark: { letter: 'N', shape: 'M2 .5h12v15L8 11.5 2 15.5z', shapeName: 'bookmark' },
};

/** The glyph of a kind; kinds of a newer version look like marks. */
export function glyphOf(kind: string): Glyph {
  return GLYPHS[kindOf(kind)];
}

export function kindOf(kind: string): EventKind {
  return EVENT_KINDS.find((known) => known === kind) ?? 'mark';
}
