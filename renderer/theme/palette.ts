import type { EventKind } from '../../engine/trace/event.ts';

/** Colours of one theme, as `#rrggbb`. */
export interface Palette {
  readonly scheme: 'dark' | 'light';
  /** Behind the panes, in the panes, and behind what stands out of a pane. */
  readonly bg: string;
  readonly panel: string;
  readonly raised: string;
  readonly line: string;
  /** Edges that must be seen: of inputs and buttons. */
  readonly edge: string;
  readonly text: string;
  readonly dim: string;
  /** The cursor, links and focus. */
  readonly accent: string;
  /** Background of the row at the cursor, and of what belongs to the finding that is shown. */
  readonly selection: string;
  readonly proof: string;
  readonly error: string;
  readonly warning: string;
  readonly info: string;
  readonly ok: string;
  /** What the event at the cursor changed. */
  readonly changed: string;
  readonly kinds: Readonly<Record<EventKind, string>>;
  readonly owners: Readonly<Record<string, string>>;
}

const DARK: Palette = {
  scheme: 'dark',
  bg: '#0e1115',
  panel: '#161a20',
  raised: '#1f252d',
  line: '#2a313b',
  edge: '#667383',
  text: '#d9dee5',
  dim: '#9aa6b4',
  accent: '#7ab8ff',
  selection: '#1c3654',
  proof: '#34261f',
  error: '#ff8f85',
  warning: '#f2b84b',
  info: '#7ab8ff',
  ok: '#7fd18b',
  changed: '#ffd166',
  kinds: {
    ioctl: '#7ab8ff',
    hypercall: '#c69cff',
    msr: '#f2b84b',
    message: '#63d2c6',
    intercept: '#ff9d7a',
    fd: '#a9b4c2',
    page: '#b8d06b',
    lifecycle: '#ff8fc7',
    mark: '#d0c8b0',
  },
  owners: {
    vmbus: '#5fc9f3',
    mshv: '#ffab5e',
    timer: '#c4a7ff',
    arch: '#9fd67c',
    guest: '#ff94b8',
    vmm: '#e3d26f',
    hypervisor: '#8fb6ff',
    unknown: '#a9b4c2',
  },
};

const LIGHT: Palette = {
  scheme: 'light',
  bg: '#e6e9ed',
  panel: '#ffffff',
  raised: '#f2f4f7',
  line: '#d8dde3',
  edge: '#6f7a87',
  text: '#1a1f26',
  dim: '#525d6a',
  accent: '#0a58b8',
  selection: '#d6e7fb',
  proof: '#fff0e3',
  error: '#b3261e',
  warning: '#855000',
  info: '#0a58b8',
  ok: '#1d6b34',
  changed: '#855000',
  kinds: {
    ioctl: '#0a58b8',
    hypercall: '#6b2fb3',
    msr: '#855000',
    message: '#00665c',
    intercept: '#a2360a',
    fd: '#4a5563',
    page: '#4a6000',
    lifecycle: '#a31565',
    mark: '#655826',
  },
  owners: {
    vmbus: '#005b84',
    mshv: '#944500',
    timer: '#6437b0',
    arch: '#2c6a1a',
    guest: '#a3174e',
    vmm: '#665400',
    hypervisor: '#274fb5',
    unknown: '#4a5563',
  },
};

/** More contrast: grounds and text at the ends of the scale, edges that are seen from afar. */
const DARK_MORE: Palette = {
  ...DARK,
  bg: '#000000',
  panel: '#000000',
  raised: '#14181d',
  line: '#7c8794',
  edge: '#c3ccd6',
  text: '#ffffff',
  dim: '#d3dae2',
  accent: '#9ccbff',
  selection: '#08213f',
  proof: '#2e1d12',
  error: '#ffb0a8',
};

const LIGHT_MORE: Palette = {
  ...LIGHT,
  bg: '#ffffff',
  panel: '#ffffff',
  raised: '#f6f7f9',
  line: '#6d7783',
  edge: '#3d4650',
  text: '#000000',
  dim: '#2b333c',
  accent: '#003f8f',
  error: '#8f1610',
  warning: '#653c00',
  info: '#003f8f',
  ok: '#0c4d20',
  changed: '#653c00',
  kinds: {
    ioctl: '#003f8f',
    hypercall: '#521d91',
    msr: '#653c00',
    message: '#004c45',
    intercept: '#7d2704',
    fd: '#333d49',
    page: '#384a00',
    lifecycle: '#7f0a4c',
    mark: '#4a4016',
  },
  owners: {
    vmbus: '#00435f',
    mshv: '#6e3200',
    timer: '#4b2391',
    arch: '#1b4d0d',
    guest: '#7f0c39',
    vmm: '#4b3e00',
    hypervisor: '#173a91',
    unknown: '#333d49',
  },
};

export function paletteFor(dark: boolean, moreContrast: boolean): Palette {
  if (dark) return moreContrast ? DARK_MORE : DARK;
  return moreContrast ? LIGHT_MORE : LIGHT;
}

/** Every palette by name, for the contrast test. */
export const PALETTES: Readonly<Record<string, Palette>> = {
  dark: DARK,
  light: LIGHT,
  'dark, more contrast': DARK_MORE,
  'light, more contrast': LIGHT_MORE,
};
