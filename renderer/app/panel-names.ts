/** The views by name. A new view adds a line here, its component in panels.tsx and its place in arrange.ts. */
export const PANELS = [
  { id: 'timeline', title: 'Timeline', key: '1' },
  { id: 'events', title: 'Events', key: '2' },
  { id: 'matrix', title: 'MSR matrix', key: '3' },
  { id: 'event', title: 'Event', key: '4' },
  { id: 'findings', title: 'Findings', key: '5' },
  { id: 'state', title: 'State', key: '6' },
  { id: 'exits', title: 'VP exits', key: '7' },
  { id: 'partitions', title: 'Partitions', key: '8' },
  { id: 'memory', title: 'GPA map', key: '9' },
  { id: 'why', title: 'Why', key: 'b' },
  { id: 'whatif', title: 'What if', key: 'w' },
  { id: 'diff', title: 'Diff', key: 'f' },
] as const;

export type PanelId = (typeof PANELS)[number]['id'];

export function isPanel(id: string): id is PanelId {
  return PANELS.some((panel) => panel.id === id);
}
