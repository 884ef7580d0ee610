import type { Model } from '../model/model.ts';
import { isTabbed } from './arrange.ts';
import { isPanel, type PanelId } from './panel-names.ts';

/** Brings a view to the top and puts the focus into it: on its list (`main`), or on its input. */
export function focusPanel(model: Model, id: PanelId, part: 'main' | 'input' = 'main'): void {
  if (model.maximised.peek() !== '' && model.maximised.peek() !== id) model.maximised.value = '';
  if (isTabbed(id)) model.view.panel.value = id;
  // A view that was below another tab is only drawn with the next frame.
  if (!focusNow(id, part)) requestAnimationFrame(() => focusNow(id, part));
}

function focusNow(id: PanelId, part: string): boolean {
  const panel = document.getElementById(`panel-${id}`);
  const target = panel?.querySelector<HTMLElement>(`[data-focus="${part}"]`) ?? panel;
  target?.focus();
  return target !== null;
}

/** The view that has the focus. */
export function focusedPanel(document: Document): PanelId | undefined {
  const id = document.activeElement?.closest('.panel')?.id.replace('panel-', '') ?? '';
  return isPanel(id) ? id : undefined;
}
