import type { Signal } from '@preact/signals';
import { useLayoutEffect } from 'preact/hooks';

/** Counts the places in which something is drawn: what nobody sees is not asked for. */
export function useSeen(places: Signal<number>): void {
  useLayoutEffect(() => {
    places.value++;
    return () => {
      places.value--;
    };
  }, []);
}
