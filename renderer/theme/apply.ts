import { effect, type ReadonlySignal, signal } from '@preact/signals';
import { type Palette, paletteFor } from './palette.ts';

export const THEMES = ['system', 'dark', 'light'] as const;
export type Theme = (typeof THEMES)[number];

const inForce = signal<Palette>(paletteFor(true, false));

/** The palette in force: what was chosen, else what the system asks for. The canvas reads it. */
export const palette: ReadonlySignal<Palette> = inForce;

/** Keeps the CSS variables of the page at the palette that the theme and the system ask for. */
export function applyTheme(theme: ReadonlySignal<Theme>, window: Window): void {
  const dark = media(window, '(prefers-color-scheme: dark)');
  const more = media(window, '(prefers-contrast: more)');
  effect(() => {
    const isDark = theme.value === 'system' ? dark.value : theme.value === 'dark';
    inForce.value = paletteFor(isDark, more.value);
    write(inForce.value, window.document.documentElement);
  });
}

function media(window: Window, query: string): ReadonlySignal<boolean> {
  const list = window.matchMedia(query);
  const matches = signal(list.matches);
  list.addEventListener('change', () => {
    matches.value = list.matches;
  });
  return matches;
}

function write(colours: Palette, root: HTMLElement): void {
  const { scheme, kinds, owners, ...plain } = colours;
  root.dataset.theme = scheme;
  root.style.setProperty('color-scheme', scheme);
  for (const [name, colour] of Object.entries(plain)) root.style.setProperty(`--${name}`, colour);
  for (const [kind, colour] of Object.entries(kinds)) root.style.setProperty(`--kind-${kind}`, colour);
  for (const [owner, colour] of Object.entries(owners)) root.style.setProperty(`--owner-${owner}`, colour);
}
