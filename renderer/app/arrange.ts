import type { PanelId } from './panel-names.ts';

/** Views that share a place, as tabs when there are several; or a place divided in two. */
export type Arrangement =
  | { readonly kind: 'stack'; readonly panels: readonly PanelId[] }
  | {
      readonly kind: 'split';
      /** Names the division: its size is remembered under it. */
      readonly id: string;
      readonly along: 'row' | 'column';
      /** Share of the first part, 0 to 1, before anybody moves it. */
      readonly first: number;
      readonly parts: readonly [Arrangement, Arrangement];
    };

/** From this width on every view has a place of its own. */
export const WIDE_PX = 1800;

const stack = (...panels: PanelId[]): Arrangement => ({ kind: 'stack', panels });
const split = (
  id: string,
  along: 'row' | 'column',
  first: number,
  ...parts: [Arrangement, Arrangement]
): Arrangement => ({ kind: 'split', id, along, first, parts });

const NARROW = split(
  'narrow-timeline',
  'column',
  0.275,
  stack('timeline'),
  split(
    'narrow-side',
    'row',
    0.6,
    split('narrow-list', 'column', 0.63, stack('events', 'exits', 'diff'), stack('matrix', 'memory')),
    stack('findings', 'event', 'why', 'whatif', 'state', 'partitions'),
  ),
);

const WIDE = split(
  'wide-timeline',
  'column',
  0.17,
  stack('timeline'),
  split(
    'wide-side',
    'row',
    0.42,
    split(
      'wide-list',
      'column',
      0.45,
      stack('events', 'diff'),
      split('wide-exits', 'column', 0.62, stack('exits'), stack('matrix')),
    ),
    split(
      'wide-more',
      'row',
      0.54,
      split('wide-event', 'column', 0.45, stack('event'), stack('state')),
      split(
        'wide-machine',
        'column',
        0.34,
        stack('findings', 'why', 'whatif'),
        split('wide-partitions', 'column', 0.58, stack('partitions'), stack('memory')),
      ),
    ),
  ),
);

export function arrangement(widthPx: number): Arrangement {
  return widthPx >= WIDE_PX ? WIDE : NARROW;
}

/** Whether a view shares its place with others in some window, so that a link must say which lies on top. */
export function isTabbed(id: PanelId): boolean {
  const tabbed = (part: Arrangement): boolean =>
    part.kind === 'stack' ? part.panels.length > 1 && part.panels.includes(id) : part.parts.some(tabbed);
  return tabbed(NARROW) || tabbed(WIDE);
}
