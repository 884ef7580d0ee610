import { computed, effect, type ReadonlySignal, signal } from '@preact/signals';
import type { App, AppMethod, AppRequests } from '../../engine/app/api.ts';
import { NotYet } from '../transport/refused.ts';
import { Recent } from './recent.ts';

type Input<M extends AppMethod> = AppRequests[M]['in'];
type Output<M extends AppMethod> = AppRequests[M]['out'];

/** The last answer of a slot: what was asked, and what came or why nothing came. */
export type Answer<M extends AppMethod> =
  | { readonly key: string; readonly input: Input<M>; readonly value: Output<M> }
  | { readonly key: string; readonly input: Input<M>; readonly problem: string }
  | { readonly key: string; readonly input: Input<M>; readonly waiting: true };

/** Who answers, and a number that rises when the answers become others. */
export interface Asked {
  readonly app: App;
  readonly epoch: ReadonlySignal<number>;
}

/**
 * The answer to one request whose input follows signals. One request is under way at a time and the newest input
 * wins, so that holding a key down costs as many requests as the other side can answer, not one for each step.
 */
export class Slot<M extends AppMethod> {
  readonly answer: ReadonlySignal<Answer<M> | undefined>;
  /** The last value that arrived; it may still be that of an older input. */
  readonly value: ReadonlySignal<Output<M> | undefined>;
  /** What went wrong with the newest input. */
  readonly problem: ReadonlySignal<string | undefined>;
  /** What was asked last will be told by the replay. */
  readonly waiting: ReadonlySignal<boolean>;
  /** The answer is that of the newest input. */
  readonly fresh: ReadonlySignal<boolean>;
  readonly #app: App;
  readonly #method: M;
  readonly #kept: Recent<Answer<M>>;
  readonly #answer = signal<Answer<M> | undefined>(undefined);
  readonly #value = signal<Output<M> | undefined>(undefined);
  readonly #wanted = signal<string | undefined>(undefined);
  #next: { readonly key: string; readonly input: Input<M> } | undefined;
  #busy = false;

  /**
   * `input` gives undefined while there is nothing to ask; `keep` answers are kept. When `epoch` changes, everything is
   * asked anew: the other side knows more now.
   */
  constructor({ app, epoch }: Asked, method: M, input: () => Input<M> | undefined, keep: number) {
    this.#app = app;
    this.#method = method;
    this.#kept = new Recent(keep);
    this.answer = this.#answer;
    this.value = this.#value;
    this.problem = computed(() => {
      const answer = this.#answer.value;
      return answer !== undefined && 'problem' in answer ? answer.problem : undefined;
    });
    this.waiting = computed(() => {
      const answer = this.#answer.value;
      return answer !== undefined && 'waiting' in answer;
    });
    this.fresh = computed(() => this.#answer.value?.key === this.#wanted.value);
    effect(() => {
      const wanted = input();
      if (wanted === undefined) return;
      const key = `${epoch.value} ${JSON.stringify(wanted)}`;
      queueMicrotask(() => this.#ask(key, wanted));
    });
  }

  #ask(key: string, input: Input<M>): void {
    if (this.#wanted.peek() === key) return;
    this.#wanted.value = key;
    const known = this.#kept.get(key);
    if (known !== undefined) {
      this.#next = undefined;
      this.#show(known);
      return;
    }
    this.#next = { key, input };
    if (!this.#busy) void this.#work();
  }

  async #work(): Promise<void> {
    this.#busy = true;
    while (this.#next !== undefined) {
      const { key, input } = this.#next;
      this.#next = undefined;
      const answer = await this.#answerTo(key, input);
      if ('value' in answer) this.#kept.set(key, answer);
      // An answer that is not wanted any more is still newer than what is shown.
      if (this.#wanted.peek() === key || this.#next !== undefined) this.#show(answer);
    }
    this.#busy = false;
  }

  async #answerTo(key: string, input: Input<M>): Promise<Answer<M>> {
    try {
      return { key, input, value: await this.#app.invoke(this.#method, input) };
    } catch (error) {
      if (error instanceof NotYet) return { key, input, waiting: true };
      return { key, input, problem: error instanceof Error ? error.message : String(error) };
    }
  }

  #show(answer: Answer<M>): void {
    this.#answer.value = answer;
    if ('value' in answer) this.#value.value = answer.value;
  }
}
