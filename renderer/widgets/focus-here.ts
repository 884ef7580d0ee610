import { useLayoutEffect } from 'preact/hooks';

/** Takes the focus that was put on the view while its data was on the way. */
export function useFocusHere(element: { readonly current: HTMLElement | null }): void {
  useLayoutEffect(() => {
    const main = element.current;
    if (main !== null && document.activeElement === main.closest('.panel')) main.focus();
  }, []);
}
