import { batch, effect } from '@preact/signals';
import type { Model } from './model.ts';
import { formatLink, parseLink } from './permalink.ts';
import { setView, viewState } from './view.ts';

/** Browsers refuse more than some 200 changes of the address in 30 s; holding a key down makes 30 a second. */
const SETTLE_MS = 200;

/** Takes the view from the address bar, and keeps the address bar at the view. Jumps become steps of "back". */
export function keepPermalink(model: Model, window: Window): void {
  const { history, location } = window;
  let timer = 0;
  let jumps = model.jumps.peek();
  const read = (): void => batch(() => setView(model.view, parseLink(location.hash)));
  const write = (push: boolean): void => {
    const link = formatLink(viewState(model.view));
    if (link === location.hash.slice(1)) return;
    const url = link === '' ? location.pathname + location.search : `#${link}`;
    if (push) history.pushState(null, '', url);
    else history.replaceState(null, '', url);
  };
  read();
  window.addEventListener('popstate', read);
  window.addEventListener('hashchange', read);
  effect(() => {
    viewState(model.view);
    const jumped = model.jumps.value !== jumps;
    jumps = model.jumps.value;
    window.clearTimeout(timer);
    if (jumped) write(true);
    else timer = window.setTimeout(() => write(false), SETTLE_MS);
  });
}
