import type { MessageEvent, MessageWhat } from '../../../engine/trace/event.ts';

/** What `result` holds for a message, by what happened; its other numbers are rare and stand in `more`. */
export const MESSAGE_RESULTS: {
  readonly [W in MessageWhat]?: keyof MessageEvent & ('flags' | 'flag' | 'vector');
} = {
  clear: 'flags',
  event: 'flag',
  interrupt: 'vector',
};
